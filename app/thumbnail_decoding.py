"""How the thumbnail loader reads a picture."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def decode_thumbnail(path: Path, size: int) -> NDArray[np.uint8]:
    """Return a picture as uint8 (height, width, 3), its longer side at most ``size`` pixels.

    Raises
    ------
    ImageError
        If it cannot be read; the text is the reason.
    """
    # Imports Pillow, which the window need not wait for.
    from backend.image_files.image_decoding import decode_image

    image = decode_image(path, max_side=size)
    return np.asarray(image.convert("RGB"), dtype=np.uint8)
