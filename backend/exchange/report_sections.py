"""Sections that a report is given beyond its neurons: headings, paragraphs and tables, all plain text."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

_NUMBER_CHARACTERS = set("0123456789.,+−-–%×±/ …")


@dataclass(frozen=True)
class ReportTable:
    """A table of texts.

    Attributes
    ----------
    columns
        Headings.
    rows
        One tuple of texts a row, as many as there are columns. A column of numbers is set flush right.
    caption
        A sentence under it.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


@dataclass(frozen=True)
class ReportSection:
    """A section of plain texts and tables, escaped where it is written.

    Attributes
    ----------
    title
        Heading.
    paragraphs
        Texts before the tables.
    tables
        Below them.
    """

    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[ReportTable, ...] = ()


def section_html(section: ReportSection) -> str:
    """Return one section as HTML."""
    paragraphs = "".join(f"<p>{escape(text)}</p>" for text in section.paragraphs)
    tables = "".join(_table(table) for table in section.tables)
    return f"<section><h2>{escape(section.title)}</h2>{paragraphs}{tables}</section>"


def _table(table: ReportTable) -> str:
    numeric = [
        bool(table.rows) and all(_is_number(row[index]) for row in table.rows)
        for index in range(len(table.columns))
    ]
    head = "".join(
        f"<th{_class(number)}>{escape(text)}</th>"
        for text, number in zip(table.columns, numeric, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{_class(number)}>{escape(cell)}</td>" for cell, number in zip(row, numeric, strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    caption = f'<p class="more">{escape(table.caption)}</p>' if table.caption else ""
    return f'<div class="scroll"><table class="plain"><tr>{head}</tr>{body}</table></div>{caption}'


def _class(number: bool) -> str:
    return ' class="n"' if number else ""


def _is_number(text: str) -> bool:
    return set(text) <= _NUMBER_CHARACTERS
