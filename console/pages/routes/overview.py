"""The pipeline as one picture: what is at each stage, what is stuck where, what is wrong."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import msgspec

from console.api.calls import Call
from console.api.routes.figures import read_site_figures
from console.pages import overview_cards
from console.pages.ask import Ask
from console.pages.navigation import READ
from console.pages.page import Pages, Shown
from console.pages.translations import N_, _, translated
from console.pages.visible import chosen_site, site_choice
from custom_events.watching.equations import Sums
from custom_events.watching.site_figures import SiteFigures
from custom_events.watching.status import pipeline_totals

PAGES: Final = Pages()
LIVE: Final = "live"
_OPEN: Final = ("new", "held", "queued", "claimed", "sent", "unknown")
_TONES: Final = {"held": "warn", "unknown": "warn", "unmatched": "warn", "rejected": "bad", "expired": "bad"}
_WORDS: Final = {"unmatched": N_("no such click"), "sent": N_("handed over")}


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A figure within a stage, and the list of what it counts ("": there is none)."""

    name: str
    rows: int
    address: str = ""
    tone: str = "quiet"


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of the way from a store to the ad platform."""

    name: str
    rows: int
    address: str
    parts: tuple[Part, ...]


@PAGES.show("/", right=READ, template="overview.html")
def overview_page(call: Call, ask: Ask) -> Shown:
    """All sites for who may see them all, one site for others and where it is chosen. What is asked for again and again (`part`) is the picture alone;
    with many sites its counts are kept for a while."""
    site_id = chosen_site(call, ask)
    is_part = ask.choice("part", (LIVE,)) == LIVE
    content: dict[str, Any] = {"ask": ask, "site_id": site_id, "sums": None, "is_part": is_part, "live": LIVE}
    sites = site_choice(call)
    has_many_sites = sites.may_all and not sites.choices
    if site_id is not None:
        figures = read_site_figures(call, site_id)
        stages = stages_of_site(figures)
        content |= {"figures": figures}
        stuck = _stuck(figures.deliveries.get("parked", 0), figures.conversions, f"site_id={site_id}&")
    else:
        count = partial(pipeline_totals, call.connection)
        totals = call.kept.get("stages", count) if has_many_sites else count()
        stages = stages_of_all(totals.sums, totals.uploads)
        content |= {"sums": totals.sums, "totals": totals}
        stuck = _stuck(sum(totals.sums.parked.values()), totals.uploads, "")
    content |= {"stages": stages, "stuck": stuck}
    if not is_part:
        content |= {"sites": sites, **overview_cards.cards(call, site_id, has_many_sites=has_many_sites)}
    return Shown(title=_("Overview"), content=content)


def stages_of_all(sums: Sums, uploads: Mapping[str, int]) -> tuple[Stage, ...]:
    """The stages by the sums of what is kept."""
    parked, ignored, withheld = (sum(by_reason.values()) for by_reason in (sums.parked, sums.ignored, sums.withheld))
    return (
        Stage(
            name=_("Received"),
            rows=sums.received,
            address="deliveries",
            parts=(
                Part(name=N_("landed"), rows=sums.landed, address="deliveries", tone="good"),
                Part(
                    name=N_("refused"), rows=sums.refused, address="deliveries/refused", tone=_if(sums.refused, "bad")
                ),
            ),
        ),
        Stage(
            name=_("Understood"),
            rows=sums.understood,
            address="deliveries?outcome=understood",
            parts=(
                Part(name=N_("parked"), rows=parked, address="parked", tone=_if(parked, "warn")),
                Part(name=N_("ignored"), rows=ignored, address="deliveries?outcome=ignored"),
                Part(name=N_("waiting"), rows=sums.to_understand, address="deliveries?outcome=waiting", tone="info"),
            ),
        ),
        Stage(
            name=_("Matched"),
            rows=sums.matched,
            address="custom-events",
            parts=(
                Part(name=_("to be sent"), rows=sums.queued, address="custom-events?state=queued", tone="good"),
                Part(name=N_("withheld"), rows=withheld, address="parked#withheld"),
            ),
        ),
        _sending(uploads, ""),
        _answered(uploads, ""),
    )


def stages_of_site(figures: SiteFigures) -> tuple[Stage, ...]:
    """The stages of one site, of its last days."""
    mine = f"site_id={figures.site_id}"
    deliveries, uploads = figures.deliveries, figures.conversions

    def part(name: str, counts: dict[str, int], address: str, tone: str) -> Part:
        rows = counts.get(name, 0)
        return Part(name=name, rows=rows, address=f"{address}&{mine}", tone=_if(rows, tone))

    return (
        Stage(name=_("Landed"), rows=sum(deliveries.values()), address=f"deliveries?{mine}", parts=()),
        Stage(
            name=_("Understood"),
            rows=deliveries.get("understood", 0),
            address=f"deliveries?outcome=understood&{mine}",
            parts=(
                Part(name=N_("parked"), rows=deliveries.get("parked", 0), address=f"parked?{mine}", tone="warn"),
                part(N_("ignored"), deliveries, "deliveries?outcome=ignored", "quiet"),
                part(N_("waiting"), deliveries, "deliveries?outcome=waiting", "info"),
            ),
        ),
        Stage(
            name=_("Matched"),
            rows=sum(figures.custom_events.values()),
            address=f"custom-events?{mine}",
            parts=tuple(
                Part(name=name, rows=rows, address=f"custom-events?state={name}&{mine}")
                for name, rows in figures.custom_events.items()
            ),
        ),
        _sending(uploads, mine),
        _answered(uploads, mine),
    )


def _sending(uploads: Mapping[str, int], mine: str) -> Stage:
    """Conversions that are not settled, by state."""
    counts = {name: uploads.get(name, 0) for name in _OPEN}
    most = max(counts, key=lambda name: counts[name])
    return Stage(
        name=_("Being sent"),
        rows=sum(counts.values()),
        address=f"uploads?kind=conversion&state={most}&{mine}",
        parts=tuple(_upload_part(name, rows, mine, _TONES.get(name, "info")) for name, rows in counts.items() if rows),
    )


def _answered(uploads: Mapping[str, int], mine: str) -> Stage:
    """Conversions that Google has answered for, or never will."""
    others = {name: uploads.get(name, 0) for name in ("unmatched", "rejected", "expired")}
    return Stage(
        name=_("Accepted"),
        rows=uploads.get("accepted", 0),
        address=f"uploads?kind=conversion&state=accepted&{mine}",
        parts=tuple(_upload_part(name, rows, mine, _TONES[name]) for name, rows in others.items()),
    )


def _upload_part(name: str, rows: int, mine: str, tone: str) -> Part:
    address = f"uploads?kind=conversion&state={name}&{mine}"
    return Part(name=translated(_WORDS.get(name, name)), rows=rows, address=address, tone=_if(rows, tone))


def _stuck(parked: int, uploads: dict[str, int], mine: str) -> list[Part]:
    """What waits for a person, or is lost unless one looks."""
    parts = [
        Part(name=_("deliveries that nobody understands"), rows=parked, address=f"parked?{mine}", tone="warn"),
        *(
            Part(name=sentence, rows=uploads.get(name, 0), address=f"uploads?{mine}state={name}", tone=tone)
            for name, sentence, tone in (
                ("held", _("conversions that wait for their time or for a person"), "warn"),
                ("unknown", _("conversions without an answer"), "warn"),
                ("rejected", _("conversions that Google refused"), "bad"),
                ("expired", _("conversions that are too late"), "bad"),
            )
        ),
    ]
    return [part for part in parts if part.rows]


def _if(rows: int, tone: str) -> str:
    return tone if rows else "quiet"
