"""Rows of an upload read once from raw protobuf, and what the rows of one request have in common."""

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Any, TypeVar

import msgspec

from sandbox.google_ads import formats
from sandbox.google_ads.access import Caller
from sandbox.google_ads.click_ids import Click, parse_click_id
from sandbox.google_ads.state import State

_Key = TypeVar("_Key", bound=Hashable)


class ConversionRow(msgspec.Struct, gc=False):
    """A ClickConversion's parts that several checks need. `instant` is None when the time cannot be read."""

    message: Any
    action_id: str | None
    order_id: str | None
    kind: str  # of the click id that counts: gclid before gbraid before wbraid; user when there is none
    click_id: str | None
    click: Click | None  # what the click id says; None when it cannot be decoded
    date_time: str
    instant: int | None
    user_identifiers: int


class Uploads:
    """One request for one account: who calls, when, and which keys occur more than once."""

    def __init__(self, state: State, caller: Caller, rows: list[ConversionRow]) -> None:
        self.state = state
        self.caller = caller
        self.customer = caller.customer
        self.switches = state.switches
        self.now = state.clock.epoch()
        self.rows = rows
        self.order_ids = repeated((row.action_id, row.order_id) for row in rows if row.order_id is not None)
        clicks = [row for row in rows if row.click_id is not None and row.instant is not None]
        self.clicks = repeated((row.action_id, row.click_id, row.instant) for row in clicks)
        self.clicks_without_order_id = {
            (row.action_id, row.click_id, row.instant) for row in clicks if self.clicks and row.order_id is None
        }


def read_conversion(message: Any) -> ConversionRow:
    """Read a raw ClickConversion."""
    order_id = message.order_id
    kind, click_id = "gclid", message.gclid
    if not click_id:
        kind, click_id = "gbraid", message.gbraid
        if not click_id:
            kind, click_id = "wbraid", message.wbraid
            if not click_id:
                kind, click_id = "user", None
    date_time = message.conversion_date_time
    return ConversionRow(
        message,
        formats.action_id(message.conversion_action),
        order_id if order_id or message.HasField("order_id") else None,
        kind,
        click_id,
        None if click_id is None else parse_click_id(kind, click_id),
        date_time,
        formats.instant(date_time),
        len(message.user_identifiers),
    )


def repeated(keys: Iterable[_Key]) -> set[_Key]:
    """The keys that occur more than once."""
    return {key for key, count in Counter(keys).items() if count > 1}
