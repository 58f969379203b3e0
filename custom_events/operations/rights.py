"""Whether whoever asked for a long operation may still do it: looked at when it begins, and each second while it runs.

What ends by itself takes nothing away: a session that runs out, a key that expires, signing out; who asked in the evening looks in the
morning. What is taken away by somebody counts at once: a revoked session or key, a person who is disabled, a role that is narrowed.
"""

from typing import Any

import msgspec
import sqlalchemy as sa

from custom_events.access import api_keys, sessions
from custom_events.access.roles import Caller, Grant, Role
from custom_events.errors import NeedsAction


class Asker(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who asked, as an operation keeps it: by which session or key, and what they might at that moment. `needs`: the role up to which a
    loss counts; whoever loses a higher one could have asked all the same."""

    needs: Role
    session_id: int | None = None
    api_key_id: int | None = None
    grants: tuple[Grant, ...] = ()


class RefusedError(NeedsAction):
    """Whoever asked may not do it any more."""


def asker_of(caller: Caller, needs: Role) -> dict[str, Any]:
    """The caller as an operation keeps them."""
    asker = Asker(
        needs=needs,
        session_id=caller.session_id,
        api_key_id=caller.id if caller.kind == "api_key" else None,
        grants=caller.grants,
    )
    plain: dict[str, Any] = msgspec.to_builtins(asker)
    return plain


def check(
    connection: sa.Connection, kept: dict[str, Any] | None, asked_by: str, site_ids: tuple[int, ...] | None
) -> None:
    """Raise RefusedError where they may less on these sites (None: all) than when they asked. `kept` None: nobody asked by the API."""
    if kept is None:
        return
    asker = msgspec.convert(kept, Asker)
    now = _now(connection, asker)
    if now is None:
        what = "session" if asker.session_id is not None else "API key"
        raise RefusedError(
            f"{asked_by} asked for this by a session or API key that is good no longer: the {what} was revoked, or the person is disabled. "
            "Ask for it again with one that is."
        )
    then = Caller(kind=now.kind, name=now.name, grants=asker.grants)
    for role in Role:
        where = _lost(then.sites(role), now.sites(role), site_ids) if role.rank <= asker.needs.rank else None
        if where is not None:
            raise RefusedError(
                f"{asked_by} had the role {role} for {where} when this was asked for, and has it no longer. Ask an administrator for it, "
                "and for this again."
            )


def _lost(had: frozenset[int] | None, has: frozenset[int] | None, site_ids: tuple[int, ...] | None) -> str | None:
    """Where a role that somebody had on some sites (None: all) is theirs no longer, among `site_ids`; None: nowhere."""
    if has is None:
        return None
    if site_ids is None:
        return "all sites" if had is None else None
    lost = set(site_ids if had is None else had.intersection(site_ids)) - has
    return f"site {min(lost)}" if lost else None


def _now(connection: sa.Connection, asker: Asker) -> Caller | None:
    if asker.session_id is not None:
        return sessions.caller_now(connection, asker.session_id)
    return None if asker.api_key_id is None else api_keys.caller_now(connection, asker.api_key_id)
