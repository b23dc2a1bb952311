"""What was dropped on the window: a project, a folder of images, or what can be neither."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData

from app.project_actions import DATABASE_FILE

_WHAT_CAN_BE = (
    "Drop a project (a folder NAME.prism) to open it, the folder that your images are in, one folder a class "
    "or flat, to make a project of them, or a file of activations (.npy, .npz, .safetensors) to import it."
)


def dropped_folder(mime: QMimeData) -> Path | None:
    """Return the one folder that was dropped; a file of a project stands for the project."""
    path = _dropped_path(mime)
    if path is None or path.is_dir():
        return path
    return path.parent if (path.parent / DATABASE_FILE).exists() else None


def dropped_image(mime: QMimeData) -> Path | None:
    """Return the one image file that was dropped, or None."""
    # Imports Pillow, which the window need not wait for.
    from backend.images import DICOM_SUFFIXES, IMAGE_SUFFIXES

    path = _dropped_path(mime)
    known = path is not None and path.suffix.lower() in IMAGE_SUFFIXES | DICOM_SUFFIXES
    return path if known else None


def dropped_activations(mime: QMimeData) -> Path | None:
    """Return the one file of activations that was dropped, or None."""
    # Imports NumPy and safetensors, which the window need not wait for.
    from backend.activations.activation_file import ACTIVATION_SUFFIXES

    path = _dropped_path(mime)
    known = path is not None and path.is_file() and path.suffix.lower() in ACTIVATION_SUFFIXES
    return path if known else None


def why_not_taken(mime: QMimeData) -> str:
    """Say in sentences why what was dropped cannot be taken, and what can."""
    urls, path = mime.urls(), _dropped_path(mime)
    if dropped_image(mime) is not None and path is not None:
        found = f"“{path.name}” is a single image."
    elif path is not None:
        found = f"“{path.name}” is neither a project nor a folder of images."
    elif len(urls) > 1:
        found = f"{len(urls)} files or folders were dropped at once."
    else:
        found = "What was dropped is not on this computer."
    return f"{found} {_WHAT_CAN_BE}"


def _dropped_path(mime: QMimeData) -> Path | None:
    """Return the one file or folder of this computer that was dropped, if it is there."""
    urls = mime.urls()
    if len(urls) != 1 or not urls[0].isLocalFile():
        return None
    path = Path(urls[0].toLocalFile())
    return path if path.exists() else None
