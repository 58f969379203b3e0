"""What is only looked at, by the API of a server: figures, explanations, rule tests, alarms, privacy requests, deliveries."""

from typing import Any

import msgspec

from api_client import models
from api_client.api.alarms import list_alarms
from api_client.api.explanations import explain
from api_client.api.figures import read_status
from api_client.api.privacy_requests import close_privacy_request, list_privacy_requests
from api_client.api.raw_events import read_raw_content, read_raw_event
from api_client.api.rule_tests import test_rule_of_site, test_settings
from cli.afar.server import PAGE, Server, as_type
from cli.afar.sites import RemoteSites
from custom_events.catalog.configurations import to_plain
from custom_events.catalog.privacy import Request
from custom_events.catalog.raw_events import RawEvent
from custom_events.errors import NeedsAction
from custom_events.explain.rule_test import RuleTest
from custom_events.explain.trace import Trace
from custom_events.history.drafts import Draft
from custom_events.watching.state import Episode
from custom_events.watching.status import Status
from custom_events.watching.watch import Look


def status(server: Server) -> Status:
    """The figures of every stage."""
    return as_type(server.asked(read_status.sync_detailed(client=server.client)), Status)


def trace(server: Server, subject: str, *, site: str | None, rules: str, assignment: int | None) -> Trace:
    """The whole way of an order or event."""
    chosen: dict[str, Any] = {"rules": rules}
    if site is not None:
        chosen["site_id"] = RemoteSites(server).called(site).id
    if assignment is not None:
        chosen["assignment_id"] = assignment
    return as_type(server.asked(explain.sync_detailed(client=server.client, subject=subject, **chosen)), Trace)


def rule_test(server: Server, subject: str | tuple[str, str, bytes], draft: Draft, *, site: str | None) -> RuleTest:
    """One event under a rule. `subject`: a stored event's key, or platform, topic and body. Raises NeedsAction without a site where the
    event or the rule is a stored one."""
    event: dict[str, Any]
    event = {"event_key": subject} if isinstance(subject, str) else {"topic": subject[1], "body": _object(subject[2])}
    config = to_plain(draft.config) if draft.config is not None else None
    if site is None:
        if isinstance(subject, str) or config is None or draft.assignment is not None:
            raise NeedsAction("From afar stored events and rules are tried on a site: name it with --site.")
        body = models.SettingsTest.from_dict({**event, "platform": subject[0], "config": config})
        return _tested(server.asked(test_settings.sync_detailed(client=server.client, body=body)))
    rule = {
        "definition_key": draft.definition,
        "definition_number": draft.definition_number,
        "config": config,
        "assignment_id": draft.assignment,
        "assignment_number": draft.assignment_number,
        "overrides": to_plain(draft.overrides) if draft.overrides is not None else None,
    }
    fields = {name: value for name, value in {**event, **rule}.items() if value is not None}
    site_id = RemoteSites(server).called(site).id
    body = models.SiteRuleTest.from_dict(fields)
    return _tested(server.asked(test_rule_of_site.sync_detailed(site_id, client=server.client, body=body)))


def alarms(server: Server) -> Look:
    """The alarms that are open, as the server's watcher saw them last; the newest first."""
    page = server.asked(list_alarms.sync_detailed(client=server.client, state="open", limit=PAGE))
    return Look(open=tuple(as_type(episode, Episode) for episode in page.items))


def privacy_requests(server: Server, *, every: bool) -> list[Request]:
    """Requests of people about their data."""
    page = server.asked(list_privacy_requests.sync_detailed(client=server.client, every=every))
    return [as_type(request, Request) for request in page.items]


def close_request(server: Server, raw_id: int, note: str) -> None:
    """A request was carried out."""
    server.done(close_privacy_request.sync_detailed(raw_id, client=server.client, body=models.Note(note=note)))


def raw_event(server: Server, raw_id: int) -> RawEvent:
    """A stored delivery with its headers and its bytes."""
    fate = server.asked(read_raw_event.sync_detailed(raw_id, client=server.client))
    content = server.asked(read_raw_content.sync_detailed(raw_id, client=server.client))
    return msgspec.convert({**fate.to_dict(), **content.to_dict()}, RawEvent)


def _object(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise NeedsAction(f"The body is no JSON object, and only such can be tried from afar: {error}.") from None


def _tested(tested: models.RuleTest) -> RuleTest:
    answered = tested.to_dict()
    tried = [{**tried_rule, "definition": tried_rule["definition_key"]} for tried_rule in answered["tried"]]
    return msgspec.convert({**answered, "tried": tried}, RuleTest)
