"""The tables as a picture, docs/pictures/schema.svg: what refers to what, from left to right.

A layered drawing: a table stands one column to the right of the rightmost that it refers to; within a column the order follows
the neighbours' (barycentres, a few sweeps), which leaves few lines crossing. Deterministic, and without any program beside it.
"""

from collections.abc import Iterator, Mapping
from html import escape

import msgspec
import sqlalchemy as sa

from custom_events.tables import sites
from custom_events.tables.references import UNENFORCED
from custom_events.tables.registry import TABLES

# All in pixels of the picture.
_BOX_WIDTH = 220
_HEAD = 24
_LINE = 16
_GAP_X = 110
_GAP_Y = 18
_MARGIN = 24
_SWEEPS = 12  # after half of them nothing moves any more
_COLOURS = {"landing": "#fde9d0", "app": "#dfeaf7"}
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#222}.head{font-weight:600}.column{font-size:11px;fill:#555}"
    "path{fill:none;stroke:#5577aa}path.value{stroke:#999;stroke-dasharray:4 3}"
)


class Link(msgspec.Struct, frozen=True, order=True):
    """`table` refers to `target` in `columns`; `enforced` by a foreign key."""

    table: str
    target: str
    columns: str
    enforced: bool


def links() -> list[Link]:
    """Every reference, sorted; a foreign key wins over a reference by value. Those by value to a site are left out: a line to
    nearly every table would hide the others; and those that only lead back."""
    is_enforced = {
        (table.name, key.column.table.name, key.parent.name): True for table in TABLES for key in table.foreign_keys
    }
    for reference in UNENFORCED:
        if reference.target is not sites.sites and not reference.back:
            is_enforced.setdefault((reference.table.name, reference.target.name, reference.column), False)
    return sorted(Link(table, target, column, enforced) for (table, target, column), enforced in is_enforced.items())


def render() -> str:
    """The picture as SVG."""
    drawn = links()
    by_name = {table.name: table for table in TABLES}
    linked = {name for link in drawn for name in (link.table, link.target)}
    columns = _columns(drawn, sorted(linked))
    rows = {name: [link.columns for link in drawn if link.table == name] for name in by_name}
    places = _places(columns, rows)
    bottom = max(y + _height(rows[name]) for name, (_, y) in places.items())
    places |= _below(sorted(by_name.keys() - linked), len(columns), bottom)
    width = max(x for x, _ in places.values()) + _BOX_WIDTH + _MARGIN
    height = max(y + _height(rows[name]) for name, (_, y) in places.items()) + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<title>Tables and what they refer to</title><style>{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *(_line(link, places, rows) for link in drawn),
        *(_box(by_name[name], places[name], rows[name]) for name in sorted(places)),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _columns(drawn: list[Link], names: list[str]) -> list[list[str]]:
    """The tables of each column, from top to bottom."""
    depth = dict.fromkeys(names, 0)
    for _ in names:  # longest paths; references make no circle
        for link in drawn:
            if link.table != link.target:
                depth[link.table] = max(depth[link.table], depth[link.target] + 1)
    columns = [[name for name in names if depth[name] == place] for place in range(max(depth.values()) + 1)]
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            heights = {name: place / len(column) for column in columns for place, name in enumerate(column)}
            column.sort(key=lambda name: (_barycentre(name, drawn, heights), name))
    return columns


def _barycentre(name: str, drawn: list[Link], heights: Mapping[str, float]) -> float:
    """The middle of the neighbours' heights."""
    near = [heights[link.target] for link in drawn if link.table == name]
    near += [heights[link.table] for link in drawn if link.target == name]
    return sum(near) / len(near)


def _places(columns: list[list[str]], rows: Mapping[str, list[str]]) -> dict[str, tuple[int, int]]:
    """The upper left corner of each box; columns are centred."""
    totals = [sum(_height(rows[name]) + _GAP_Y for name in column) for column in columns]
    places: dict[str, tuple[int, int]] = {}
    for place, column in enumerate(columns):
        y = _MARGIN + (max(totals) - totals[place]) // 2
        for name in column:
            places[name] = (_MARGIN + place * (_BOX_WIDTH + _GAP_X), y)
            y += _height(rows[name]) + _GAP_Y
    return places


def _below(names: list[str], columns: int, bottom: int) -> dict[str, tuple[int, int]]:
    """Tables that nothing connects, in rows below the others."""
    top = bottom + 2 * _GAP_Y
    return {
        name: (_MARGIN + (place % columns) * (_BOX_WIDTH + _GAP_X), top + (place // columns) * (_HEAD + _GAP_Y))
        for place, name in enumerate(names)
    }


def _height(columns: list[str]) -> int:
    return _HEAD + _LINE * len(columns) + (4 if columns else 0)


def _line(link: Link, places: Mapping[str, tuple[int, int]], rows: Mapping[str, list[str]]) -> str:
    """From the target's head to the column that refers to it."""
    x1, y1 = places[link.target][0] + _BOX_WIDTH, places[link.target][1] + _HEAD // 2
    x2, top = places[link.table]
    y2 = top + _HEAD + _LINE * rows[link.table].index(link.columns) + _LINE // 2
    bend = max((x2 - x1) // 2, _GAP_X // 2)
    kind = "key" if link.enforced else "value"
    said = escape(f"{link.table}.{link.columns} -> {link.target}" + ("" if link.enforced else " (by value)"))
    return (
        f'<path class="{kind}" d="M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"><title>{said}</title></path>'
    )


def _box(table: sa.Table, corner: tuple[int, int], columns: list[str]) -> str:
    x, y = corner
    size = f'width="{_BOX_WIDTH}" height="{_height(columns)}"'
    colour = _COLOURS[str(table.schema)]
    return "".join(
        [
            f"<g><title>{escape(table.comment or '')}</title>",
            f'<rect x="{x}" y="{y}" {size} rx="4" fill="{colour}" stroke="#8899aa"/>',
            f'<text class="head" x="{x + 8}" y="{y + 16}">{escape(table.name)}</text>',
            *_texts(x, y, columns),
            "</g>",
        ]
    )


def _texts(x: int, y: int, columns: list[str]) -> Iterator[str]:
    for place, column in enumerate(columns):
        yield f'<text class="column" x="{x + 8}" y="{y + _HEAD + _LINE * place + 12}">{escape(column)}</text>'
