"""Backtests and replays by the API of a server: long operations there, followed from here."""

from datetime import datetime
from typing import Any

from api_client import models
from api_client.api.looking_back import ask_for_backtest, ask_for_replay
from cli.afar.operations import follow, result
from cli.afar.server import Server
from cli.afar.sites import RemoteSites
from custom_events.backtest.replay import Replay
from custom_events.backtest.result import Backtest
from custom_events.catalog.configurations import to_plain
from custom_events.history.drafts import Draft


def backtest(
    server: Server, draft: Draft, *, since: datetime, until: datetime, sites: tuple[str, ...], samples: int
) -> Backtest:
    """What the draft would have made of stored history."""
    fields = {
        **_period(server, since, until, sites, samples),
        "definition_key": draft.definition,
        "definition_number": draft.definition_number,
        "config": None if draft.config is None else to_plain(draft.config),
        "assignment_id": draft.assignment,
        "assignment_number": draft.assignment_number,
        "overrides": None if draft.overrides is None else to_plain(draft.overrides),
        "stopped": draft.stopped,
    }
    body = models.NewBacktest.from_dict(_without_none(fields))
    operation = server.asked(ask_for_backtest.sync_detailed(client=server.client, body=body))
    return result(server, follow(server, operation), "backtest", Backtest)


def replay(
    server: Server,
    *,
    since: datetime,
    until: datetime,
    sites: tuple[str, ...],
    definition: str | None,
    assignment: int | None,
    write: bool,
    reason: str,
    samples: int,
) -> tuple[Replay, bool]:
    """What a replay would change, or has changed; and whether it was whole, not ended before by Ctrl-C or somebody else."""
    fields = {
        **_period(server, since, until, sites, samples),
        "definition_key": definition,
        "assignment_id": assignment,
        "write": write,
        "reason": reason,
    }
    body = models.NewReplay.from_dict(_without_none(fields))
    ended = follow(server, server.asked(ask_for_replay.sync_detailed(client=server.client, body=body)))
    return result(server, ended, "replay", Replay), ended.operation.state == "succeeded"


def _period(server: Server, since: datetime, until: datetime, sites: tuple[str, ...], samples: int) -> dict[str, Any]:
    known = RemoteSites(server)
    ids = [known.called(name).id for name in sites] if sites else None
    return {"since": since.isoformat(), "until": until.isoformat(), "site_ids": ids, "samples": samples}


def _without_none(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
