"""Where the pictures of a grid lie: arithmetic alone, so that tens of thousands cost nothing to lay out.

Pictures are numbered 0, 1, … through all bands. Coordinates are device-independent pixels of the whole
content, its upper left corner at (0, 0).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

Direction = Literal["left", "right", "up", "down"]

MARGIN = 8
SPACING = 6
HEADER_HEIGHT = 32


@dataclass(frozen=True)
class Cell:
    """Size of one picture with its frame and caption."""

    width: int
    height: int


@dataclass(frozen=True)
class Box:
    """A rectangle of the content."""

    x: int
    y: int
    width: int
    height: int

    def contains(self, x: int, y: int) -> bool:
        """Tell whether a point lies in the rectangle."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


class GridGeometry(ABC):
    """Bands of cells; see the two arrangements below.

    Parameters
    ----------
    counts
        Pictures in each band.
    width
        Width of the viewport.
    cell
        Size of a cell.
    """

    def __init__(self, counts: Sequence[int], width: int, cell: Cell) -> None:
        self.counts = tuple(counts)
        self.width = width
        self.cell = cell
        self.starts = (0, *accumulate(self.counts))

    @property
    def n_items(self) -> int:
        """Number of pictures in all bands."""
        return self.starts[-1]

    def band_of(self, index: int) -> int:
        """Return the band that a picture is in."""
        # The last band that starts at or before the picture: empty bands before it start there too.
        return bisect_right(self.starts, index, hi=len(self.counts)) - 1

    def band_items(self, band: int) -> range:
        """Return the pictures of a band."""
        return range(self.starts[band], self.starts[band + 1])

    @property
    @abstractmethod
    def content_size(self) -> tuple[int, int]:
        """Width and height of everything."""

    @abstractmethod
    def cell_box(self, index: int) -> Box:
        """Return where a picture's cell is."""

    @abstractmethod
    def header_box(self, band: int, scroll_y: int = 0) -> Box:
        """Return where a band's header is; it stays at the top while its band is scrolled through."""

    @abstractmethod
    def items_in(self, area: Box) -> Iterator[int]:
        """Yield the pictures whose cells meet an area, in order."""

    @abstractmethod
    def moved(self, index: int, direction: Direction) -> int:
        """Return the picture beside another; the same one at the edge."""

    @abstractmethod
    def bands_in(self, area: Box) -> range:
        """Return the bands whose header or pictures may meet an area."""

    def item_at(self, x: int, y: int) -> int:
        """Return the picture at a point, or −1."""
        return next((i for i in self.items_in(Box(x, y, 1, 1)) if self.cell_box(i).contains(x, y)), -1)

    def header_at(self, x: int, y: int, scroll_y: int = 0) -> int:
        """Return the band whose header is at a point, or −1."""
        bands = self.bands_in(Box(x, y, 1, 1))
        return next((b for b in bands if self.header_box(b, scroll_y).contains(x, y)), -1)


@dataclass(frozen=True)
class _Columns:
    """Cells beside each other, the room that is left over spread between them."""

    count: int
    pitch: int
    left: int

    @staticmethod
    def fitted(left: int, width: int, cell_width: int) -> _Columns:
        count = max(1, (width + SPACING) // (cell_width + SPACING))
        spare = max(0, width - count * cell_width - (count - 1) * SPACING) // count
        return _Columns(count, cell_width + SPACING + spare, left + spare // 2)

    def met_by(self, offset: int, length: int, cell_width: int) -> range:
        return _row_span(offset - self.left, length, self.pitch, cell_width, self.count)


def _row_span(offset: int, length: int, pitch: int, size: int, n_rows: int) -> range:
    """Return the rows of a stack (pitch apart, ``size`` high) that meet [offset, offset + length)."""
    first = max(0, -(-(offset - size + 1) // pitch))
    last = min(n_rows - 1, (offset + length - 1) // pitch)
    return range(first, last + 1)


class StackedBands(GridGeometry):
    """Bands one below the other, each under a header as wide as the view."""

    def __init__(self, counts: Sequence[int], width: int, cell: Cell) -> None:
        super().__init__(counts, width, cell)
        self._columns = _Columns.fitted(MARGIN, width - 2 * MARGIN, cell.width)
        self.n_columns = self._columns.count
        self._n_rows = [-(-count // self.n_columns) for count in self.counts]
        heights = [HEADER_HEIGHT + SPACING + rows * self._pitch_y + MARGIN for rows in self._n_rows]
        self._tops = (0, *accumulate(heights))

    @property
    def _pitch_y(self) -> int:
        return self.cell.height + SPACING

    @property
    def content_size(self) -> tuple[int, int]:
        """Width and height of everything."""
        return max(self.width, 2 * MARGIN + self.cell.width), self._tops[-1]

    def _cells_top(self, band: int) -> int:
        return self._tops[band] + HEADER_HEIGHT + SPACING

    def cell_box(self, index: int) -> Box:
        """Return where a picture's cell is."""
        band = self.band_of(index)
        row, column = divmod(index - self.starts[band], self.n_columns)
        x = self._columns.left + column * self._columns.pitch
        return Box(x, self._cells_top(band) + row * self._pitch_y, self.cell.width, self.cell.height)

    def header_box(self, band: int, scroll_y: int = 0) -> Box:
        """Return where a band's header is, pushed out at the top by the header of the next band."""
        top, end = self._tops[band], self._tops[band + 1]
        y = max(top, min(scroll_y, end - HEADER_HEIGHT))
        return Box(0, y, self.content_size[0], HEADER_HEIGHT)

    def bands_in(self, area: Box) -> range:
        """Return the bands whose header or pictures may meet an area."""
        first = max(0, bisect_right(self._tops, area.y) - 1)
        last = bisect_right(self._tops, area.y + area.height - 1) - 1
        return range(first, min(last, len(self.counts) - 1) + 1)

    def items_in(self, area: Box) -> Iterator[int]:
        """Yield the pictures whose cells meet an area, in order."""
        columns = self._columns.met_by(area.x, area.width, self.cell.width)
        for band in self.bands_in(area):
            offset = area.y - self._cells_top(band)
            for row in _row_span(offset, area.height, self._pitch_y, self.cell.height, self._n_rows[band]):
                start = self.starts[band] + row * self.n_columns
                yield from range(start + columns.start, min(start + columns.stop, self.starts[band + 1]))

    def moved(self, index: int, direction: Direction) -> int:
        """Return the picture beside another; up and down keep the column across bands."""
        if direction in ("left", "right"):
            step = 1 if direction == "right" else -1
            return min(max(index + step, 0), self.n_items - 1)
        band = self.band_of(index)
        row, column = divmod(index - self.starts[band], self.n_columns)
        row += 1 if direction == "down" else -1
        if not 0 <= row < self._n_rows[band]:
            step = 1 if direction == "down" else -1
            band += step
            while 0 <= band < len(self.counts) and not self.counts[band]:
                band += step
            if not 0 <= band < len(self.counts):
                return index
            row = 0 if direction == "down" else self._n_rows[band] - 1
        return min(self.starts[band] + row * self.n_columns + column, self.starts[band + 1] - 1)


class SideBySideBands(GridGeometry):
    """Bands beside each other, each a column under its header, so that equal ranks stand at equal heights."""

    def __init__(self, counts: Sequence[int], width: int, cell: Cell) -> None:
        super().__init__(counts, width, cell)
        n_bands = max(1, len(self.counts))
        self._band_width = max(2 * MARGIN + cell.width, width // n_bands)
        self._columns = _Columns.fitted(MARGIN, self._band_width - 2 * MARGIN, cell.width)
        self._across = self._columns.count
        self._n_rows = [-(-count // self._across) for count in self.counts]

    @property
    def _pitch_y(self) -> int:
        return self.cell.height + SPACING

    @property
    def content_size(self) -> tuple[int, int]:
        """Width and height of everything."""
        rows = max(self._n_rows, default=0)
        height = HEADER_HEIGHT + SPACING + rows * self._pitch_y + MARGIN if self.counts else 0
        return self._band_width * len(self.counts), height

    def cell_box(self, index: int) -> Box:
        """Return where a picture's cell is."""
        band = self.band_of(index)
        row, column = divmod(index - self.starts[band], self._across)
        x = band * self._band_width + self._columns.left + column * self._columns.pitch
        y = HEADER_HEIGHT + SPACING + row * self._pitch_y
        return Box(x, y, self.cell.width, self.cell.height)

    def header_box(self, band: int, scroll_y: int = 0) -> Box:
        """Return where a band's header is: always at the top of the view."""
        return Box(band * self._band_width, max(0, scroll_y), self._band_width, HEADER_HEIGHT)

    def bands_in(self, area: Box) -> range:
        """Return the bands whose header or pictures may meet an area."""
        first = max(0, area.x // self._band_width)
        last = min(len(self.counts) - 1, (area.x + area.width - 1) // self._band_width)
        return range(first, last + 1)

    def items_in(self, area: Box) -> Iterator[int]:
        """Yield the pictures whose cells meet an area, in order."""
        offset = area.y - HEADER_HEIGHT - SPACING
        for band in self.bands_in(area):
            columns = self._columns.met_by(area.x - band * self._band_width, area.width, self.cell.width)
            for row in _row_span(offset, area.height, self._pitch_y, self.cell.height, self._n_rows[band]):
                start = self.starts[band] + row * self._across
                yield from range(start + columns.start, min(start + columns.stop, self.starts[band + 1]))

    def moved(self, index: int, direction: Direction) -> int:
        """Return the picture beside another; left and right go on in the next band at the same height."""
        band = self.band_of(index)
        row, column = divmod(index - self.starts[band], self._across)
        if direction in ("up", "down"):
            target = index + (self._across if direction == "down" else -self._across)
            return target if target in self.band_items(band) else index
        column += 1 if direction == "right" else -1
        if 0 <= column < self._across and self.starts[band] + row * self._across + column in self.band_items(
            band
        ):
            return self.starts[band] + row * self._across + column
        step = 1 if direction == "right" else -1
        band += step
        while 0 <= band < len(self.counts) and not self.counts[band]:
            band += step
        if not 0 <= band < len(self.counts):
            return index
        column = 0 if direction == "right" else self._across - 1
        return min(self.starts[band] + row * self._across + column, self.starts[band + 1] - 1)
