"""How the thumbnail loader reads a picture: as the network of the project sees it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.image_files.grey_scaling import DEFAULT_GREY_SCALING, GreyScaling


class ThumbnailDecoder:
    """Decodes pictures in the threads of the thumbnail loader.

    Attributes
    ----------
    grey_scaling : str
        Rule for grey values of more than eight bits. Pictures that were decoded by another are out of date.
    """

    def __init__(self) -> None:
        self.grey_scaling: GreyScaling = DEFAULT_GREY_SCALING

    def __call__(self, path: Path, size: int) -> NDArray[np.uint8]:
        """Return a picture as uint8 (height, width, 3), its longer side at most ``size`` pixels.

        Raises
        ------
        ImageError
            If it cannot be read; the text is the reason.
        """
        # Imports Pillow, which the window need not wait for.
        from backend.image_files.image_decoding import decode_image

        image = decode_image(path, max_side=size, grey_scaling=self.grey_scaling)
        return np.asarray(image.convert("RGB"), dtype=np.uint8)
