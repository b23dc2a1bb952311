"""Grey values of more than eight bits to eight: by which rule, and the rule in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

GreyScaling = Literal["full_range", "twelve_bit", "min_max"]
"""How grey values of more than eight bits become eight; :data:`GREY_SCALING_RULES` has it in words."""

GREY_SCALINGS: Final[tuple[GreyScaling, ...]] = get_args(GreyScaling)
DEFAULT_GREY_SCALING: Final[GreyScaling] = "full_range"

_OTHER_VALUES: Final = (
    "Floating-point values from 0 to 1 are multiplied by 255, from 0 to 255 taken as they are; any other "
    "range is stretched from the image's own minimum to its maximum. "
)
_DICOM_WINDOW: Final = "DICOM files are shown through their window"

GREY_SCALING_RULES: Final[Mapping[GreyScaling, str]] = MappingProxyType(
    {
        "full_range": (
            "Of 16-bit grey values the upper eight bits are taken (value ÷ 256), the same for every image. "
            f"{_OTHER_VALUES}{_DICOM_WINDOW}; without one, all that their bits can hold is scaled to 0–255."
        ),
        "twelve_bit": (
            "16-bit grey values are taken for 12-bit ones: value ÷ 16, the same for every image; larger "
            f"ones than 4095 become white. {_OTHER_VALUES}{_DICOM_WINDOW}; without one, all that their bits "
            "can hold is scaled to 0–255."
        ),
        "min_max": (
            "Grey values of more than eight bits are stretched from each image's own minimum to its own "
            f"maximum, so that brightness cannot be compared between images. {_DICOM_WINDOW}; without one, "
            "they are stretched too."
        ),
    }
)


def scaled_grey(values: NDArray[np.generic], scaling: GreyScaling) -> NDArray[np.uint8]:
    """Scale grey values of more than eight bits as :data:`GREY_SCALING_RULES` says.

    Parameters
    ----------
    values
        Of any integer or floating type and shape. Values that are not finite count as the nearest finite one
        of the image (not a number: as the smallest).
    scaling
        The rule.

    Returns
    -------
    ndarray
        uint8, the same shape.
    """
    bits = {"full_range": 8, "twelve_bit": 4}.get(scaling)
    if bits is not None and values.dtype.kind == "u" and values.dtype.itemsize == 2:
        return np.asarray(np.minimum(values.astype(np.uint16) >> bits, 255), np.uint8)
    grey = values.astype(np.float64)
    finite = grey[np.isfinite(grey)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    grey = np.nan_to_num(grey, nan=low, posinf=high, neginf=low)
    if bits is not None and values.dtype.kind in "iu" and low >= 0 and high < 1 << 16:
        return np.asarray(np.minimum(np.floor(grey / (1 << bits)), 255), np.uint8)
    if bits is not None and values.dtype.kind == "f" and low >= 0 and high <= 255:
        return np.asarray(np.rint(grey * 255 if high <= 1 else grey), np.uint8)
    return stretched(grey, low, high)


def stretched(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.uint8]:
    """Map ``low`` to 0, ``high`` to 255, what lies outside to the nearer; all to 0 where they are equal."""
    if not high > low:
        return np.zeros(values.shape, np.uint8)
    # Divided first: the range itself may be larger than a float holds after multiplying.
    return np.asarray(np.rint(np.clip((values - low) / (high - low), 0, 1) * 255), np.uint8)
