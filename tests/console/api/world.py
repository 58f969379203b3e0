"""Two sites with something of everything. Whatever is of the second one says so, so that it is found where it must not be."""

from copy import copy
from typing import Any, Self

import sqlalchemy as sa

from custom_events import secrets
from custom_events.access import api_keys, people, saved_views, sessions
from custom_events.access.roles import Grant, Role
from custom_events.catalog import assignments, definitions, signing, sites
from custom_events.settings import Settings
from custom_events.values.deliveries import Platform
from tests.console.api.ledger_rows import ACTION_ID, CUSTOMER_ID, upload
from tests.console.api.long_operations import ended_operation, kept_bulk_change
from tests.console.api.raw_rows import privacy_delivery
from tests.console.api.report_rows import Reports, reports_of

THEIRS = "zanzibar"  # in every name of the second site's
PASSWORD = "four words and more"
END_SESSIONS = sa.text("UPDATE app.sessions SET revoked_at = now() WHERE revoked_at IS NULL")
ABSENT = 999_999


class World:
    """`places`: for each parameter of a path, a value of the first site, one of the second, and one that is nowhere.

    A noun whose paths have another parameter adds it here: the laws of `test_rights.py` then hold it, too.
    """

    def __init__(self, engine: sa.Engine, settings: Settings) -> None:
        self.engine = engine
        self.settings = settings
        with engine.begin() as connection:
            self.mine = sites.create(connection, platform=Platform.CUSTOM, name="Mine", actor="test", currency="EUR")
            self.theirs = sites.create(
                connection, platform=Platform.CUSTOM, name=f"Shop {THEIRS}", actor=THEIRS, site_key=f"{THEIRS}-key"
            )
            mine, theirs = (
                signing.add(connection, site.id, "a secret of a store", key=secrets.key(settings), actor="test")
                for site in (self.mine, self.theirs)
            )
            definitions.create(
                connection, key="big_order", name="Big", config={"trigger": ["order.paid"]}, author="test"
            )
            definitions.publish(connection, "big_order", 1, by="test")
            my_rule, their_rule = (
                assignments.assign(connection, site.id, "big_order", label, author=label)
                for site, label in ((self.mine, "mine"), (self.theirs, THEIRS))
            )
            self.ana = people.add(
                connection,
                login="ana@example.org",
                display_name="Ana",
                grants=(Grant(role=Role.ADMINISTRATOR),),
                actor="test",
                password=PASSWORD,
            )
            self.ben = people.add(connection, login="ben@example.org", display_name="Ben", grants=(), actor=THEIRS)
            grants = (Grant(role=Role.VIEWER),)
            self.spare = api_keys.make(connection, name="spare", grants=grants, actor=THEIRS)[0]
            self.uploads = tuple(
                upload(connection, site.id, order) for site, order in ((self.mine, "1"), (self.theirs, THEIRS))
            )
            self.raw_events = tuple(
                privacy_delivery(connection, site.id, body.encode())
                for site, body in ((self.mine, '{"id": 1}'), (self.theirs, THEIRS))
            )
            self.operations = tuple(
                ended_operation(connection, site.id, name) for site, name in ((self.mine, "me"), (self.theirs, THEIRS))
            )
            self.view = saved_views.keep(
                connection, self.ana.id, list_name="assignments", name="Drafts", query="state=draft"
            )
            self.reports: tuple[Reports, ...] = tuple(
                reports_of(connection, settings, site.id, name)
                for site, name in ((self.mine, "mine"), (self.theirs, THEIRS))
            )
            self.bulk_changes = tuple(
                kept_bulk_change(connection, site.id, name) for site, name in ((self.mine, "me"), (self.theirs, THEIRS))
            )
        self.keys = {name: self._key(name, grants) for name, grants in self._grants().items()}
        token = sessions.sign_in(
            engine, login="ana@example.org", password=PASSWORD, client_address="", user_agent="", settings=settings
        )
        with engine.begin() as connection:
            caller = sessions.caller_of(connection, token, settings)
        assert caller is not None
        self.places: dict[str, tuple[Any, Any, Any]] = {
            "site_id": (self.mine.id, self.theirs.id, ABSENT),
            "secret_id": (mine.id, theirs.id, ABSENT),
            "upload_reference": (*self.uploads, f"{self.uploads[0].partition('-')[0]}-{ABSENT}"),
            "customer_id": (CUSTOMER_ID, CUSTOMER_ID, "9999999999"),
            "action_id": (ACTION_ID, ACTION_ID, "9999"),
            "operation_id": (*self.operations, ABSENT),
            "bulk_change_id": (*self.bulk_changes, ABSENT),
            "raw_event_id": (*self.raw_events, ABSENT),
            "person_id": (self.ben.id, self.ana.id, ABSENT),
            "api_key_id": (self.spare.id, self.spare.id, ABSENT),
            "definition_key": ("big_order", f"nothing_{ABSENT - 1}", f"nothing_{ABSENT}"),  # they belong to all sites
            "assignment_id": (my_rule.id, their_rule.id, ABSENT),
            "report_name": ("funnel", f"nothing_{ABSENT - 1}", f"nothing_{ABSENT}"),  # as above
            "report_key": (*(reports.key for reports in self.reports), f"nothing_{ABSENT}"),
            "report_schedule_id": (*(reports.schedule_id for reports in self.reports), ABSENT),
            "report_run_id": (*(reports.run_id for reports in self.reports), ABSENT),
            "number": (1, 1, ABSENT),
            "saved_view_id": (self.view.id, ABSENT - 1, ABSENT),
            "session_id": (ABSENT - 1, caller.session_id, ABSENT),
        }

    def of(self, engine: sa.Engine, settings: Settings) -> Self:
        """This world in a copy of its database, in an installation with the same key."""
        same = copy(self)
        same.engine, same.settings = engine, settings
        return same

    def headers(self, name: str) -> dict[str, str]:
        """Those of a request by the key of this name: a role of all sites, `<role> of mine`, or `nothing`."""
        return {"Authorization": f"Bearer {self.keys[name]}"}

    def _grants(self) -> dict[str, tuple[Grant, ...]]:
        everywhere = {role.value: (Grant(role=role),) for role in Role}
        here = {f"{role} of mine": (Grant(role=role, site_id=self.mine.id),) for role in Role}
        return {**everywhere, **here}

    def _key(self, name: str, grants: tuple[Grant, ...]) -> str:
        with self.engine.begin() as connection:
            return api_keys.make(connection, name=name, grants=grants, actor=THEIRS if "of" not in name else "me")[1]
