"""Which pages of a TIFF file are images of their own: read from its directories, without decoding it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

_NEW_SUBFILE_TYPE: Final = 254
_SUBFILE_TYPE: Final = 255
_REDUCED_OR_MASK: Final = 0b101  # bits of NewSubfileType: a smaller version, a transparency mask
_OLD_REDUCED: Final = 2  # value of SubfileType
_MOST_PAGES: Final = 1_000_000
_MOST_ENTRIES: Final = 65_535  # of a directory; more in BigTIFF only if it is damaged


@dataclass(frozen=True)
class _Layout:
    """How the directories of a file are written: classic TIFF, or BigTIFF."""

    order: str  # "<" or ">"
    count: str
    entry_size: int
    offset: str
    value_at: int  # of a value within its entry


_CLASSIC: Final = ("H", 12, "I", 8)
_BIG: Final = ("Q", 20, "Q", 12)


def tiff_pages(path: Path) -> tuple[int, ...]:
    """Return the numbers, from 1, of a TIFF file's pages that are images of their own.

    Smaller versions of a page (thumbnails, the levels of a pyramid) and transparency masks are left out, if
    the file calls them so.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    tuple of int
        ``(1,)`` for a file of one page, and for a damaged one or one that is no TIFF file, whose decoding
        says what is wrong.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    pages: list[int] = []
    with path.open("rb") as file:
        try:
            for page in _pages(file):
                pages.append(page)
        except struct.error:
            return tuple(pages) or (1,)  # truncated: the pages up to there count
    return tuple(pages) or (1,)


def _pages(file: BinaryIO) -> Iterator[int]:
    layout = _layout(file.read(8))
    if layout is None:
        return
    size = file.seek(0, 2)
    file.seek(8 if layout.offset == "Q" else 4)
    seen: set[int] = set()
    for number in range(1, _MOST_PAGES + 1):
        (offset,) = _read(file, layout.order + layout.offset)
        if not offset or offset in seen or offset >= size:  # the end, a circle, or nowhere
            return
        seen.add(offset)
        file.seek(offset)
        (n_entries,) = _read(file, layout.order + layout.count)
        if n_entries > _MOST_ENTRIES:
            return
        entries = file.read(n_entries * layout.entry_size)
        if len(entries) < n_entries * layout.entry_size:
            return
        if not _is_secondary(entries, layout):
            yield number


def _layout(header: bytes) -> _Layout | None:
    order = {b"II": "<", b"MM": ">"}.get(header[:2])
    if order is None or len(header) < 8:
        return None
    (version,) = struct.unpack(order + "H", header[2:4])
    kind = {42: _CLASSIC, 43: _BIG}.get(version)
    return None if kind is None else _Layout(order, *kind)


def _is_secondary(entries: bytes, layout: _Layout) -> bool:
    for start in range(0, len(entries), layout.entry_size):
        tag, kind = struct.unpack_from(layout.order + "HH", entries, start)
        if tag > _SUBFILE_TYPE:  # entries are in order of their tags
            return False
        if tag in (_NEW_SUBFILE_TYPE, _SUBFILE_TYPE):
            is_short = kind == 3
            (value,) = struct.unpack_from(
                layout.order + ("H" if is_short else "I"), entries, start + layout.value_at
            )
            secondary = value & _REDUCED_OR_MASK if tag == _NEW_SUBFILE_TYPE else value == _OLD_REDUCED
            if secondary:
                return True
    return False


def _read(file: BinaryIO, what: str) -> tuple[int, ...]:
    return struct.unpack(what, file.read(struct.calcsize(what)))
