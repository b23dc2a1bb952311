"""The header of a band: its second text is whole or not there."""

from PySide6.QtGui import QFont, QFontMetrics
from pytestqt.qtbot import QtBot

from widgets.images.band_header import subtitle_that_fits
from widgets.images.image_grid_model import ImageBand
from widgets.palette import concept_color


def test_the_second_text_is_whole_or_not_there(qtbot: QtBot) -> None:
    band = ImageBand(
        key=-1, title="Neuron 5", color=concept_color(0), marker="n", items=(), subtitle="largest"
    )
    font = QFont()
    width = QFontMetrics(font).horizontalAdvance("largest")
    assert subtitle_that_fits(band, font, width) == "largest"
    assert subtitle_that_fits(band, font, width - 1) == ""
