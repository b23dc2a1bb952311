"""What a right click on a picture offers: open it large, copy it or its path, show it in its folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from backend.image_files.image_address import image_file
from widgets import theme
from widgets.images.image_grid_model import ImageItem
from widgets.images.image_viewer import LONGEST_SIDE
from widgets.images.thumbnails import ThumbnailLoader


class PictureClipboard(QObject):
    """Puts pictures and paths on the clipboard; a picture that is not decoded yet follows when it is."""

    def __init__(self, thumbnails: ThumbnailLoader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._awaited: Path | None = None
        thumbnails.ready.connect(self._on_ready)

    def copy_paths(self, items: Sequence[ImageItem]) -> None:
        """Copy the files' paths as text, one a line, and as files."""
        data = QMimeData()
        data.setText("\n".join(str(item.path) for item in items))
        data.setUrls([QUrl.fromLocalFile(str(image_file(item.path))) for item in items])
        QGuiApplication.clipboard().setMimeData(data)

    def copy_picture(self, item: ImageItem) -> None:
        """Copy a picture at its own size (at most 2048 pixels)."""
        self._awaited = item.path
        self._thumbnails.request(item.path, LONGEST_SIDE, client=self, enlarge=False)
        self._copy_if_here()

    def _copy_if_here(self) -> None:
        if self._awaited is None:
            return
        pixmap = self._thumbnails.cached_exactly(self._awaited, LONGEST_SIDE, enlarge=False)
        if pixmap is not None:
            QGuiApplication.clipboard().setPixmap(pixmap)
        if pixmap is not None or self._thumbnails.failure(self._awaited) is not None:
            self._awaited = None

    @Slot(str)
    def _on_ready(self, path: str) -> None:
        if self._awaited is not None and path == str(self._awaited):
            self._copy_if_here()


def picture_menu(
    items: Sequence[ImageItem],
    clipboard: PictureClipboard,
    open_large: Callable[[], None],
    parent: QWidget,
    find: Callable[[], None] | None = None,
) -> QMenu:
    """Return the menu of one or more chosen pictures; the caller may add to it.

    Parameters
    ----------
    items
        The pictures, the one under the pointer first.
    clipboard
        Where copies go.
    open_large
        Called to open the first of them.
    parent
        Owns the menu.
    find
        Called to find them in the other panels, where there are any.
    """
    menu = QMenu(parent)
    several = len(items) > 1
    _add(menu, "show", "Open large\tSpace", open_large)
    if find is not None:
        those = "them" if several else "it"
        _add(menu, "search", f"Find {those} in the other panels\tF", find)
    menu.addSeparator()
    if not several:
        _add(menu, "copy", "Copy picture", lambda: clipboard.copy_picture(items[0]))
    paths = f"Copy {len(items):,} paths" if several else "Copy path"
    _add(menu, "copy" if several else "", paths, lambda: clipboard.copy_paths(items))
    _add(menu, "open", "Show in its folder", lambda: _open_folder(items[0].path))
    return menu


def _add(menu: QMenu, icon: str, text: str, triggered: Callable[[], None]) -> None:
    action = menu.addAction(text)
    if icon:
        theme.set_icon(action, icon)
    action.triggered.connect(lambda _checked=False: triggered())


def _open_folder(path: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(image_file(path).parent)))
