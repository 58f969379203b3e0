"""Every component once, for whoever builds pages; there only in a checkout."""

from datetime import UTC, datetime
from typing import Final

from console.api.calls import Call
from console.api.problems import FieldError
from console.api.rights import SIGNED_IN
from console.pages.ask import Ask
from console.pages.merging import merge_rows
from console.pages.page import Pages, Shown
from custom_events.catalog.diff import Change
from custom_events.conditions.explain import ExplainedNode

PAGES: Final = Pages()
_STATES: Final = ("accepted", "queued", "held", "rejected", "withheld")
_BEFORE: Final = {"priority": 1, "delay_minutes": 0}
_THEIRS: Final = {"priority": 2, "delay_minutes": 0, "group": "value"}
_MINE: Final = {"priority": 3, "delay_minutes": 60}


@PAGES.show("/styleguide", right=SIGNED_IN, template="styleguide.html", development=True)
def styleguide_page(call: Call, ask: Ask) -> Shown:  # noqa: ARG001  (every page takes both)
    """All components with made-up content."""
    leaves = (
        ExplainedNode(kind="leaf", text="order.total >= 200.00 EUR", holds=True, value="249.00"),
        ExplainedNode(kind="leaf", text="order.country = DE", holds=False, missing=True),
    )
    content = {
        "ask": ask,
        "states": _STATES,
        "changes": (Change(path="value.factor", old=1, new="0.35"), Change(path="priority", new=10)),
        "node": ExplainedNode(kind="all", text="", holds=False, children=leaves),
        "errors": {"amount": FieldError(field="amount", problem='"ten" is no amount', remedy="10.00 for example")},
        "rows": merge_rows(_BEFORE, _THEIRS, _MINE, lambda name, side: str(side.get(name, "none"))),
        "at": datetime(2026, 11, 30, 12, tzinfo=UTC),
    }
    return Shown(title="Components", content=content)
