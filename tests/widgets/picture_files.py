"""Pictures on disk, and a loader that reads them as the application does."""

from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtGui import QColor

from widgets.images.image_grid import ImageBand, ImageItem
from widgets.images.thumbnails import ThumbnailLoader


def decode(path: Path, size: int) -> np.ndarray:
    with Image.open(path) as image:
        image.thumbnail((size, size))
        return np.asarray(image.convert("RGB"))


def write_picture(path: Path, color: tuple[int, int, int], size: tuple[int, int] = (40, 30)) -> Path:
    Image.new("RGB", size, color).save(path)
    return path


def row_color(row: int) -> tuple[int, int, int]:
    return (40 + 7 * row % 200, 20 + 31 * row % 220, 90)


def make_items(folder: Path, rows: range | list[int], badge: str = "") -> tuple[ImageItem, ...]:
    items = []
    for row in rows:
        path = folder / f"{row}.png"
        if not path.exists():
            write_picture(path, row_color(row))
        items.append(ImageItem(row, path, f"{row}.0", f"{row}.png\nclass {row % 3}", badge))
    return tuple(items)


def make_band(folder: Path, key: int, rows: range | list[int], title: str = "apples") -> ImageBand:
    return ImageBand(
        key, title, QColor("#c03010"), "ABCDE"[key] if key >= 0 else "○", make_items(folder, rows)
    )


def make_loader() -> ThumbnailLoader:
    return ThumbnailLoader(decode, n_threads=1)
