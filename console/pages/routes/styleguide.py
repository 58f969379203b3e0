"""Every component once, for whoever builds pages; there only in a checkout."""

from datetime import UTC, datetime
from typing import Final

from console.api.calls import Call
from console.api.problems import FieldError
from console.api.rights import SIGNED_IN
from console.pages.ask import Ask
from console.pages.charts import Chart, Funnel, Series, Step
from console.pages.differences import Difference
from console.pages.merging import merge_rows
from console.pages.page import Pages, Shown
from custom_events.conditions.explain import ExplainedNode

PAGES: Final = Pages()
_STATES: Final = ("accepted", "queued", "held", "rejected", "withheld")
_BEFORE: Final = {"priority": 1, "delay_minutes": 0}
_THEIRS: Final = {"priority": 2, "delay_minutes": 0, "group": "value"}
_MINE: Final = {"priority": 3, "delay_minutes": 60}
_DAYS: Final = tuple(f"{day} Nov" for day in range(17, 31))
_CHARTS: Final = (
    Chart(
        id="sent",
        title="Conversions",
        unit="by day",
        labels=_DAYS,
        series=(
            Series(name="accepted", tone="good", values=(31, 40, 38, 44, 60, 71, 35, 30, 42, 39, 47, 66, 74, 20)),
            Series(name="held", tone="warn", values=(0, 1, 0, 3, 0, 0, 0, 2, 0, 0, 1, 0, 4, 9)),
            Series(name="rejected", tone="bad", values=(0, 0, 2, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0)),
        ),
    ),
    Chart(
        id="shares",
        title="Accuracy",
        labels=_DAYS,
        kind="lines",
        is_share=True,
        series=tuple(
            Series(name=name, values=tuple(None if day == gap else 1 - (day * step % 7) / 40 for day in range(14)))
            for name, step, gap in (("Berlin", 3, 5), ("Kiel", 5, 13), ("Lyon", 2, 0))
        ),
    ),
)
_FUNNEL: Final = Funnel(
    id="way",
    title="Way",
    steps=(
        Step(name="Received", rows=1_204),
        Step(name="Matched", rows=410, address="styleguide"),
        Step(name="Accepted", rows=380, tone="good", note="by Google"),
    ),
)


@PAGES.show("/styleguide", right=SIGNED_IN, template="styleguide.html", development=True)
def styleguide_page(call: Call, ask: Ask) -> Shown:  # noqa: ARG001  (every page takes both)
    """All components with made-up content."""
    leaves = (
        ExplainedNode(kind="leaf", text="order.total >= 200.00 EUR", holds=True, value="249.00"),
        ExplainedNode(kind="leaf", text="order.country = DE", holds=False, missing=True),
    )
    content = {
        "ask": ask,
        "charts": _CHARTS,
        "funnel": _FUNNEL,
        "states": _STATES,
        "changes": (
            Difference(
                name="conditions",
                old="order.total >= 200.00 EUR",
                new="order.total >= 300.00 EUR",
                note="one of several of which any is enough",
            ),
            Difference(name="priority", old=None, new="10"),
        ),
        "node": ExplainedNode(kind="all", text="", holds=False, children=leaves),
        "errors": {"amount": FieldError(field="amount", problem='"ten" is no amount', remedy="10.00 for example")},
        "rows": merge_rows(_BEFORE, _THEIRS, _MINE, lambda name, side: str(side.get(name, "none"))),
        "at": datetime(2026, 11, 30, 12, tzinfo=UTC),
    }
    return Shown(title="Components", content=content)
