"""What is known of where directions are in the pictures on show, and whether it is painted over them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QColor, QPixmap

from widgets.images.projection_overlay import overlaid_pixmap

if TYPE_CHECKING:
    from backend.visualization.projection_map import ProjectionMap

DEFAULT_OPACITY = 0.7
LEAST_OPACITY = 0.1
MEBIBYTE = 1024**2
MAXIMUM_MAP_BYTES = 64 * MEBIBYTE
MAXIMUM_PICTURE_BYTES = 96 * MEBIBYTE
_BLENDS_PER_FRAME = 32
_REPAINT_MILLISECONDS = 25
_MOST_FAILURES = 20_000

WantedMap = tuple[int, int]
"""Key of a band, whose direction it is about, and row of an image in the dataset."""


@dataclass(frozen=True)
class MapDirection:
    """The direction that the pictures of a band are looked through for.

    Attributes
    ----------
    key
        Tells layer and vector: what has another key has other maps.
    title
        Name of the concept, or the neuron.
    """

    key: str
    title: str


class ProjectionMapDisplay(QObject):
    """Keeps maps, their scales and the pictures painted with them; views show it and say what they need.

    The maps of one direction share a scale, 0 to the largest value found so far, wherever they are shown.
    Nothing is computed here: whoever can listens to ``wanted_changed`` and calls :meth:`add_map`.

    Parameters
    ----------
    maximum_map_bytes, maximum_picture_bytes
        Bounds of what is kept; the least recently used goes first.

    Attributes
    ----------
    receptive_field : float or None
        Side of what one position of the layer sees, as a fraction of the network's input; None: not known.

    Signals
    -------
    changed()
        Something is to be painted anew; sent at most forty times a second.
    switched(bool)
        The maps are shown, or hidden.
    opacity_changed(float)
    status_changed()
        Another obstacle or note.
    wanted_changed()
        Views need other maps than before.
    """

    changed = Signal()
    switched = Signal(bool)
    opacity_changed = Signal(float)
    status_changed = Signal()
    wanted_changed = Signal()

    def __init__(
        self,
        parent: QObject | None = None,
        *,
        maximum_map_bytes: int = MAXIMUM_MAP_BYTES,
        maximum_picture_bytes: int = MAXIMUM_PICTURE_BYTES,
    ) -> None:
        super().__init__(parent)
        self.receptive_field: float | None = None
        self._maximum_map_bytes = maximum_map_bytes
        self._maximum_picture_bytes = maximum_picture_bytes
        self._on = False
        self._opacity = DEFAULT_OPACITY
        self._obstacle = self._note = ""
        self._directions: dict[int, MapDirection] = {}
        self._maps: OrderedDict[tuple[str, int], ProjectionMap] = OrderedDict()
        self._map_bytes = 0
        self._scales: dict[str, float] = {}
        self._failures: dict[int, str] = {}
        self._pictures: OrderedDict[tuple[str, int, int, int], tuple[object, QPixmap]] = OrderedDict()
        self._picture_bytes = 0
        self._blends_left = _BLENDS_PER_FRAME
        self._wanted: OrderedDict[int, tuple[WantedMap, ...]] = OrderedDict()
        self._field_wanted: set[int] = set()
        self._repaint = QTimer(self)
        self._repaint.setSingleShot(True)
        self._repaint.setInterval(_REPAINT_MILLISECONDS)
        self._repaint.timeout.connect(self.changed)

    # --- whether and how maps are shown -----------------------------------------------------------

    @property
    def is_on(self) -> bool:
        """Whether maps are painted over the pictures."""
        return self._on

    def set_on(self, on: bool) -> None:
        """Show the maps or hide them."""
        if on != self._on:
            self._on = on
            self.switched.emit(on)
            self.changed.emit()

    def toggle(self) -> None:
        """Show the maps if they are hidden, else hide them."""
        self.set_on(not self._on)

    @property
    def opacity(self) -> float:
        """Of the colours, 0 to 1."""
        return self._opacity

    def set_opacity(self, opacity: float) -> None:
        """Paint the colours with this opacity, 0.1 to 1."""
        opacity = min(1.0, max(LEAST_OPACITY, opacity))
        if opacity != self._opacity:
            self._opacity = opacity
            self.opacity_changed.emit(opacity)
            self.changed.emit()

    @property
    def obstacle(self) -> str:
        """Why there can be no maps here, a sentence; "" if there can."""
        return self._obstacle

    @property
    def note(self) -> str:
        """What is being done, or what went wrong; "" if there is nothing to say."""
        return self._note

    def set_status(self, *, obstacle: str = "", note: str = "") -> None:
        """Say why there can be no maps, or what is being done."""
        if (obstacle, note) != (self._obstacle, self._note):
            self._obstacle, self._note = obstacle, note
            self.status_changed.emit()

    # --- what there is ----------------------------------------------------------------------------

    def set_directions(self, directions: Mapping[int, MapDirection]) -> None:
        """Say which direction the pictures of each band, by its key, are looked through for."""
        if directions != self._directions:
            self._directions = dict(directions)
            self.changed.emit()

    def direction(self, band: int) -> MapDirection | None:
        """Return the direction of a band, or None."""
        return self._directions.get(band)

    def map_of(self, band: int, row: int) -> ProjectionMap | None:
        """Return the map of a band's direction in an image, or None if it is not here."""
        direction = self._directions.get(band)
        if direction is None:
            return None
        found = self._maps.get((direction.key, row))
        if found is not None:
            self._maps.move_to_end((direction.key, row))
        return found

    def failure(self, row: int) -> str:
        """Return why an image cannot be looked through; "" if nothing is known against it."""
        return self._failures.get(row, "")

    def scale(self, band: int) -> float:
        """Return the projection that has the last colour in a band, in units of activation; 0: none yet."""
        direction = self._directions.get(band)
        return self._scales.get(direction.key, 0.0) if direction is not None else 0.0

    def ranges(self) -> tuple[tuple[str, float], ...]:
        """Return title and scale of each direction that has maps, as they are given to the bands."""
        titles = {direction.key: direction.title for direction in self._directions.values()}
        return tuple(
            (title, self._scales[key]) for key, title in titles.items() if self._scales.get(key, 0.0) > 0
        )

    @property
    def used_map_bytes(self) -> int:
        """Size of the maps kept."""
        return self._map_bytes

    @property
    def used_picture_bytes(self) -> int:
        """Size of the painted pictures kept."""
        return self._picture_bytes

    def add_map(self, direction: str, row: int, found: ProjectionMap) -> None:
        """Keep the map of a direction, by its key, in an image."""
        key = (direction, row)
        before = self._maps.pop(key, None)
        self._map_bytes += found.values.nbytes - (before.values.nbytes if before is not None else 0)
        self._maps[key] = found
        largest = float(found.values.max())
        self._scales[direction] = max(self._scales.get(direction, 0.0), largest)
        while self._map_bytes > self._maximum_map_bytes and len(self._maps) > 1:
            _, removed = self._maps.popitem(last=False)
            self._map_bytes -= removed.values.nbytes
        self._paint_soon()

    def add_failure(self, row: int, reason: str) -> None:
        """Note why an image cannot be looked through."""
        if len(self._failures) >= _MOST_FAILURES:
            self._failures.clear()
        self._failures[row] = reason
        self._paint_soon()

    def set_receptive_field(self, side: float | None) -> None:
        """Say how much one position of the layer sees, as a fraction of the network's input."""
        if side != self.receptive_field:
            self.receptive_field = side
            self.changed.emit()

    def clear(self) -> None:
        """Forget everything about the images and the directions."""
        self._maps.clear()
        self._scales.clear()
        self._failures.clear()
        self._pictures.clear()
        self._map_bytes = self._picture_bytes = 0
        self.receptive_field = None
        self._directions = {}
        self.changed.emit()

    # --- what is needed ---------------------------------------------------------------------------

    def want(self, client: QObject, maps: Sequence[WantedMap], *, field: bool = False) -> None:
        """Say which maps a view needs, the most wanted first, and whether the receptive field too.

        Whoever asked last comes first. Nothing needed is an empty sequence.
        """
        number, wanted = id(client), tuple(maps)
        if number not in self._wanted:
            client.destroyed.connect(lambda: self._forget(number))
        if wanted == self._wanted.get(number, ()) and field == (number in self._field_wanted):
            return
        self._wanted[number] = wanted
        self._wanted.move_to_end(number, last=False)
        (self._field_wanted.add if field else self._field_wanted.discard)(number)
        self.wanted_changed.emit()

    def _forget(self, client: int) -> None:
        self._wanted.pop(client, None)
        self._field_wanted.discard(client)

    def missing(self) -> list[WantedMap]:
        """Return the maps that views need and that are not here, the most wanted first."""
        wanted = dict.fromkeys(pair for maps in self._wanted.values() for pair in maps)
        return [
            (band, row)
            for band, row in wanted
            if band in self._directions
            and row not in self._failures
            and (self._directions[band].key, row) not in self._maps
        ]

    @property
    def n_wanted(self) -> int:
        """Number of maps that views need."""
        return len({pair for maps in self._wanted.values() for pair in maps})

    @property
    def misses_field(self) -> bool:
        """Whether a view needs the receptive field, and it is not known."""
        return bool(self._field_wanted) and self.receptive_field is None

    # --- what is painted --------------------------------------------------------------------------

    def begin_frame(self) -> None:
        """Allow as many pictures to be made anew as fit into one frame of the screen."""
        self._blends_left = _BLENDS_PER_FRAME

    def picture(self, plain: QPixmap, band: int, row: int, outside: QColor) -> QPixmap | None:
        """Return a picture with the map of its band's direction over it, or None if there is no map.

        It is kept as long as nothing about it changes. Of many that changed at once, some keep their earlier
        look until the next frame.

        Parameters
        ----------
        plain
            The picture.
        band, row
            Key of its band, and its row in the dataset.
        outside
            Colour of the veil over what the network did not see.
        """
        found, direction = self.map_of(band, row), self._directions.get(band)
        if found is None or direction is None:
            return None
        key = (direction.key, row, plain.width(), plain.height())
        scale = self._scales[direction.key]
        look = (plain.cacheKey(), scale, self._opacity, outside.rgb())
        before = self._pictures.get(key)
        if before is not None and before[0] == look:
            self._pictures.move_to_end(key)
            return before[1]
        if self._blends_left <= 0:
            self._paint_soon()
            return before[1] if before is not None else None
        self._blends_left -= 1
        blended = overlaid_pixmap(plain, found, scale, self._opacity, outside)
        self._keep_picture(key, look, blended)
        return blended

    def _keep_picture(self, key: tuple[str, int, int, int], look: object, blended: QPixmap) -> None:
        before = self._pictures.pop(key, None)
        self._picture_bytes += _n_bytes(blended) - (_n_bytes(before[1]) if before is not None else 0)
        self._pictures[key] = look, blended
        while self._picture_bytes > self._maximum_picture_bytes and len(self._pictures) > 1:
            _, (_, removed) = self._pictures.popitem(last=False)
            self._picture_bytes -= _n_bytes(removed)

    def _paint_soon(self) -> None:
        if not self._repaint.isActive():
            self._repaint.start()


def _n_bytes(pixmap: QPixmap) -> int:
    return pixmap.width() * pixmap.height() * max(pixmap.depth(), 8) // 8
