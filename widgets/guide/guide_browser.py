"""The guide as a page to scroll: text, and the figure drawn in the page's own colours."""

from __future__ import annotations

import html

from PySide6.QtCore import QEvent, QUrl
from PySide6.QtGui import QResizeEvent, QTextDocument
from PySide6.QtWidgets import QTextBrowser, QWidget

from widgets.guide.method_figure import DESCRIPTION, SIZE, method_figure
from widgets.theme import MARGIN

FIGURE = QUrl("figure:method")
LEAST_SCALE = 0.6
LARGEST_SCALE = 1.5


class GuideBrowser(QTextBrowser):
    """Shows the figure above a text; it is drawn anew for another width, palette or screen.

    Parameters
    ----------
    text
        HTML.
    """

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = text
        self._drawn: tuple[int, float] | None = None
        self.setOpenExternalLinks(True)
        self.document().setDocumentMargin(2 * MARGIN)
        self.setAccessibleName("Guide to the method")
        self.setAccessibleDescription(DESCRIPTION)
        self._show_page()

    def figure_width(self) -> int:
        """Return how wide the figure is now, in device-independent pixels."""
        room = self.viewport().width() - 4 * MARGIN
        return round(min(max(room, LEAST_SCALE * SIZE.width()), LARGEST_SCALE * SIZE.width()))

    def _show_page(self) -> None:
        wanted = self.figure_width(), self.devicePixelRatioF()
        if wanted == self._drawn:
            return
        self._drawn = wanted
        width, ratio = wanted
        image = method_figure(self.palette(), self.font(), ratio, width / SIZE.width())
        place = self.verticalScrollBar().value() / max(self.verticalScrollBar().maximum(), 1)
        self.document().addResource(QTextDocument.ResourceType.ImageResource.value, FIGURE, image)
        height = round(width * SIZE.height() / SIZE.width())
        alternative = html.escape(DESCRIPTION)
        self.setHtml(
            f'<p><img src="{FIGURE.toString()}" width="{width}" height="{height}" alt="{alternative}"></p>'
            f"{self._text}"
        )
        self.verticalScrollBar().setValue(round(place * self.verticalScrollBar().maximum()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the figure to the width."""
        super().resizeEvent(event)
        self._show_page()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette, and text of another size."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._drawn = None
            self._show_page()

    def event(self, event: QEvent) -> bool:
        """Follow to a screen of another pixel density."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._drawn = None
            self._show_page()
        return bool(super().event(event))
