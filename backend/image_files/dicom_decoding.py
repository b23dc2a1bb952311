"""DICOM files to 8-bit pictures, through their window, with the optional package pydicom."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from backend.errors import ImageError
from backend.image_files.grey_scaling import GreyScaling, stretched

DICOM_SUFFIXES: Final = frozenset({".dcm", ".dicom", ".ima"})
PYDICOM_IS_MISSING: Final = (
    "DICOM files need the package pydicom, which is not installed (python -m pip install pydicom)."
)

_PREAMBLE: Final = 128  # bytes before the letters that tell a DICOM file
_MAGIC: Final = b"DICM"
_GREY: Final = ("MONOCHROME1", "MONOCHROME2")


def pydicom_is_installed() -> bool:
    """Return whether pydicom is there; does not import it."""
    return importlib.util.find_spec("pydicom") is not None


def is_dicom_file(file: Path) -> bool:
    """Return whether a file is DICOM: by its suffix, or, where it has none, by how it begins.

    Archives name files by numbers (``1.2.840.113619.2.5``), so that a suffix of digits is none.

    Raises
    ------
    OSError
        If a file without a suffix cannot be read.
    """
    suffix = PurePath(file).suffix.lower()
    if suffix in DICOM_SUFFIXES:
        return True
    return not suffix.removeprefix(".").strip("0123456789") and _has_magic(file)


def dicom_frames(file: Path) -> int:
    """Return how many images are in a DICOM file, without reading their pixels.

    Raises
    ------
    ImageError
        If pydicom is not installed, or the file is damaged or holds no image.
    OSError
        If the file cannot be read.
    """
    return _n_frames(_header(file), file)


def decode_dicom(file: Path, frame: int, grey_scaling: GreyScaling, max_pixels: int) -> Image.Image:
    """Decode one image of a DICOM file.

    Grey values are rescaled (modality LUT), then shown through the file's first window or VOI LUT. A file
    without one is scaled from all that its bits can hold, or, by the rule ``"min_max"``, from its own
    smallest and largest value. ``MONOCHROME1`` is inverted, so that more is brighter. Palettes and colour
    spaces become RGB.

    Parameters
    ----------
    file
        The file.
    frame
        Which of its images, from 1.
    grey_scaling
        The rule for files without a window.
    max_pixels
        Of an image that is decoded.

    Returns
    -------
    Image
        Mode L or RGB.

    Raises
    ------
    ImageError
        If pydicom is not installed; if the file is damaged, holds no such image, is larger than
        ``max_pixels``, or is compressed in a way that nothing here can decode.
    OSError
        If the file cannot be read.
    """
    header = _header(file)
    n_frames = _n_frames(header, file)
    if frame > n_frames:
        raise ImageError(f"The DICOM file '{file}' has {n_frames} images, and none with the number {frame}.")
    n_pixels = int(header.Rows) * int(header.Columns)
    if not 0 < n_pixels <= max_pixels:
        raise ImageError(
            f"The DICOM file '{file}' is not decoded: it promises {header.Columns} × {header.Rows} pixels, "
            f"and at most {max_pixels // 10**6} million are taken."
        )
    try:
        pixels = _pixels(header, file, frame)
        return Image.fromarray(_eight_bits(pixels, header, frame, grey_scaling))
    except (ImageError, OSError, MemoryError):
        raise
    except Exception as error:  # pydicom fails on damaged files in every possible way
        raise ImageError(_not_decoded(header, file, error)) from error


def _has_magic(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(_PREAMBLE + len(_MAGIC))[_PREAMBLE:] == _MAGIC


def _pydicom() -> Any:
    if not pydicom_is_installed():
        raise ImageError(PYDICOM_IS_MISSING)
    return importlib.import_module("pydicom")


def _header(file: Path) -> Any:
    """Return everything of a file but its pixels."""
    pydicom = _pydicom()
    try:
        # Old files lack the beginning that tells a DICOM file; whatever is none has no image either.
        header = pydicom.dcmread(file, stop_before_pixels=True, force=True)
        if "Rows" in header and "Columns" in header:
            return header
    except OSError:
        raise
    except Exception as error:  # pydicom fails on damaged files in every possible way
        raise ImageError(f"The DICOM file '{file}' is damaged ({error}).") from error
    if not _has_magic(file):
        raise ImageError(f"'{file}' is not a DICOM file.")
    raise ImageError(f"The DICOM file '{file}' holds no image.")


def _n_frames(header: Any, file: Path) -> int:
    try:
        return max(1, int(header.get("NumberOfFrames") or 1))
    except (TypeError, ValueError) as error:
        raise ImageError(f"The DICOM file '{file}' is damaged ({error}).") from error


def _pixels(header: Any, file: Path, frame: int) -> NDArray[np.generic]:
    """Return the stored values of one image: (rows, columns) or (rows, columns, 3)."""
    pydicom = _pydicom()
    pixel_array = importlib.import_module("pydicom.pixels").pixel_array
    if _has_magic(file):
        values = pixel_array(file, index=frame - 1)
    else:
        dataset = pydicom.dcmread(file, force=True)
        if "TransferSyntaxUID" not in dataset.file_meta:
            dataset.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
        values = pixel_array(dataset, index=frame - 1)
    return np.asarray(values)


def _eight_bits(
    pixels: NDArray[np.generic], header: Any, frame: int, grey_scaling: GreyScaling
) -> NDArray[np.uint8]:
    photometric = header.get("PhotometricInterpretation", "")
    if photometric == "PALETTE COLOR":
        pixels = importlib.import_module("pydicom.pixels").apply_color_lut(pixels, header)
    if pixels.ndim == 3:
        wide = pixels.dtype.itemsize == 2
        return np.asarray(pixels.astype(np.uint16) >> 8 if wide else pixels, np.uint8)
    grey = _GreyImage(pixels, header, frame).shown(grey_scaling)
    return np.asarray(255 - grey, np.uint8) if photometric == _GREY[0] else grey


@dataclass(frozen=True)
class _GreyImage:
    """One grey image of a file, and what the file says on showing it.

    Multi-frame files of the enhanced kind say it in groups that hold for all frames or for one.
    """

    stored: NDArray[np.generic]
    header: Any
    frame: int

    def shown(self, grey_scaling: GreyScaling) -> NDArray[np.uint8]:
        values, low, high = self._rescaled()
        if "VOILUTSequence" in self.header:
            lut = self.header.VOILUTSequence[0]
            shown = importlib.import_module("pydicom.pixels").apply_voi(
                values.astype(np.int64), self.header, index=0
            )
            return stretched(shown.astype(np.float64), 0, (1 << int(lut.LUTDescriptor[2])) - 1)
        centre, width = self._number("WindowCenter"), self._number("WindowWidth")
        if centre is not None and width is not None and width > 0:
            return self._through_window(values, centre, width)
        if grey_scaling == "min_max" or low is None or high is None:
            finite = values[np.isfinite(values)]
            low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        return stretched(np.nan_to_num(values, nan=low, posinf=high, neginf=low), low, high)

    def _rescaled(self) -> tuple[NDArray[np.float64], float | None, float | None]:
        """Return the values in the file's units, and the smallest and largest that there can be."""
        if "ModalityLUTSequence" in self.header:
            n_bits = int(self.header.ModalityLUTSequence[0].LUTDescriptor[2])
            values = importlib.import_module("pydicom.pixels").apply_modality_lut(self.stored, self.header)
            return values.astype(np.float64), 0.0, float((1 << n_bits) - 1)
        slope, intercept = self._number("RescaleSlope"), self._number("RescaleIntercept")
        slope, intercept = 1.0 if slope is None else slope, intercept or 0.0
        values = self.stored.astype(np.float64) * slope + intercept
        if self.stored.dtype.kind == "f":
            return values, None, None
        n_bits, signed = int(self.header.BitsStored), bool(self.header.get("PixelRepresentation", 0))
        first = -(1 << (n_bits - 1)) if signed else 0
        ends = sorted(end * slope + intercept for end in (first, first + (1 << n_bits) - 1))
        return values, ends[0], ends[1]

    def _through_window(self, values: NDArray[np.float64], centre: float, width: float) -> NDArray[np.uint8]:
        """Apply a window as DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3 define it."""
        function = str(self._value("VOILUTFunction") or "LINEAR")
        if function == "SIGMOID":
            return stretched(1 / (1 + np.exp(-4 * (values - centre) / width)), 0, 1)
        if function == "LINEAR_EXACT":
            return stretched(values, centre - width / 2, centre + width / 2)
        if width <= 1:  # a threshold
            return np.where(values > centre - 0.5, 255, 0).astype(np.uint8)
        low = centre - 0.5 - (width - 1) / 2
        return stretched(values, low, low + width - 1)

    def _number(self, name: str) -> float | None:
        value = self._value(name)
        if value is not None and not isinstance(value, (str, int, float)) and hasattr(value, "__len__"):
            value = value[0] if len(value) else None  # several windows: the first
        return None if value in (None, "") else float(value)

    def _value(self, name: str) -> Any:
        for group in self._functional_groups():
            for sequence in ("FrameVOILUTSequence", "PixelValueTransformationSequence"):
                if sequence in group and len(group[sequence].value) and name in group[sequence].value[0]:
                    return group[sequence].value[0].get(name)
        return self.header.get(name)

    def _functional_groups(self) -> list[Any]:
        of_frames = self.header.get("PerFrameFunctionalGroupsSequence") or ()
        of_all = self.header.get("SharedFunctionalGroupsSequence") or ()
        return [*of_frames[self.frame - 1 : self.frame], *of_all[:1]]


def _not_decoded(header: Any, file: Path, error: Exception) -> str:
    if isinstance(error, (RuntimeError, NotImplementedError)) and hasattr(header, "file_meta"):
        syntax = header.file_meta.get("TransferSyntaxUID")
        if syntax is not None and syntax.is_compressed:
            return (
                f"The DICOM file '{file}' is compressed ({syntax.name}), and either it is damaged or no "
                "decoder for it is installed (such as pylibjpeg with its plugins)."
            )
    return f"The DICOM file '{file}' cannot be decoded; it may be damaged ({error})."
