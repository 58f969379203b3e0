"""Every verb that changes something is in the audit trail: by whom, by which login, in which run, what, before and after."""

import getpass
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from cli.author import _named
from cli.main import main
from custom_events.catalog import assignments
from tests import marts
from tests.backtest.conftest import PastWorld
from tests.cli.arguments import verbs
from tests.cli.conftest import Run
from tests.cli.test_uploads import GROUND
from tests.console.api.raw_rows import privacy_delivery

# Verbs that take no author: they look, or what they change is the product's or this machine's and nobody's decision.
NOBODY = {
    "api-key list", "archive list", "archive verify", "archive write", "assignment diff", "assignment list", "assignment revisions", "backtest", "bulk export", "bulk list", "bulk show",
    "config export", "config validate", "definition diff", "definition list", "definition revisions", "doctor", "explain",
    "migrate current", "openapi", "privacy list", "rates list", "report list", "report runs", "report show", "site list", "site secret list", "site wait", "sizing", "status", "test-rule", "understand",
    "training check", "uploads list", "user list",
    "config plan",  # its author stands in the file that it writes, and in what is made of it
    "demo", "up", "sandbox click-id", "sandbox google-ads", "sandbox shopify",  # programs
    "shopify install-url", "shopify status", "shopify refresh", "site api-key show",
    "site recover-orders", "retention",  # what stores have sold, and what time asks for
    "migrate", "migrate upgrade", "migrate downgrade", "migrate server", "seed",  # what every installation has
    "secrets new-key",  # a file of this machine
    "uploads probe", "uploads reconcile", "watch",  # what Google says, and what is wrong
}  # fmt: skip
# Verbs that need a store, a server or an archive of their own: what they note is held by tests/recovery, tests/cli/test_shopify.py,
# test_database_roles.py and test_archive.py.
ELSEWHERE = {"archive restore", "site api-key remove", "site api-key set", "shopify register", "roles"}
KEY, NEXT_KEY = (Fernet.generate_key().decode() for _ in range(2))
LINK = "INSERT INTO app.openid_links (person_id, issuer, subject) SELECT id, 'https://id.example', 'a' FROM app.people WHERE login = 'ana'"
FACT, DONE = "as it was and is", "what was done"


class Case(NamedTuple):
    """A verb with its words, the actions that it notes, and whether its entries say what was stored before and since."""

    words: str
    actions: Sequence[str]
    says: str = FACT
    given: str | None = None


# In this order, each on what those before it have left.
CASES = [
    Case("site add --platform custom --name Second --domain second.example", ["site.create", "secret.add"]),
    Case("site pause 3 --reason move", ["site.pause"]),
    Case("site resume 3", ["site.resume"]),
    Case("site secret add 3", ["secret.add"], given="from-the-store\n"),
    Case("site secret rotate 3", ["secret.add", "secret.rotate"]),
    Case("site secret revoke 3 SECRET", ["secret.remove"]),
    Case("user add root --role administrator", ["person.create"], given="four words and more\n"),
    Case("user add ana --role editor", ["person.create"], given="four words and more\n"),
    Case("user role ana --role viewer", ["person.update"]),
    Case("user password ana", ["person.password"], DONE, given="another four words\n"),
    Case("user disable ana", ["person.disable"]),
    Case("user enable ana", ["person.enable"]),
    Case("user unlink ana", ["person.unlink"]),
    Case("api-key make deploy --role viewer", ["api_key.make"]),
    Case("api-key revoke PREFIX", ["api_key.revoke"]),
    Case("definition publish bought 2", ["definition.publish"]),
    Case("definition rollback bought 1", ["definition.rollback"]),
    Case("assignment rollback 1 1", ["assignment.rollback"]),
    Case("assignment publish 2", ["assignment.publish"]),
    Case(
        "bulk assign bought --label b --site 3 --publish",
        ["assignment.override", "assignment.publish", "bulk_change.run"],
    ),
    Case("bulk change --label b --overrides first.yaml", ["assignment.override", "bulk_change.run"]),
    Case("bulk disable --label b", ["assignment.pause", "bulk_change.run"]),
    Case("bulk enable --label b", ["assignment.resume", "bulk_change.run"]),
    Case("bulk undo", ["assignment.pause", "bulk_change.undo"]),
    Case(
        "bulk move --to 2 --label b",
        ["assignment.override", "assignment.pause", "assignment.publish", "bulk_change.run"],
    ),
    Case("bulk copy 1 --site 2", ["assignment.override", "bulk_change.run"]),
    Case("bulk import lines.csv", ["assignment.override", "bulk_change.run"]),
    Case(
        "config apply --yes rules --reason files",
        [
            "definition.create",
            "definition.publish",
            "site.update",
            "assignment.override",
            "assignment.publish",
            "config.apply",
        ],
    ),
    Case("rates load rates.csv", ["exchange_rates.load"], DONE),
    Case("uploads hold 1234567890 prices", ["uploads.hold"]),
    Case("uploads release 1234567890", ["uploads.release"]),
    Case("uploads hold 1234567890 prices --action 7001", ["uploads.hold"]),
    Case("uploads release 1234567890 --action 7001", ["uploads.release"]),
    Case("uploads retry 1234567890", ["uploads.retry"], DONE),
    Case("uploads withhold 1234567890 prices --order 1", ["uploads.withhold"], DONE),
    Case("replay --since 30d --write --reason mended", ["replay.run"], DONE),
    Case("raw show RAW", ["raw_event.show"], DONE),
    Case("raw save RAW --folder evidence", ["raw_event.save"], DONE),
    Case("privacy ask shop-key-1 --order 1 --kind data_request", ["privacy_request.ask"], DONE),
    Case("privacy export REQUEST --to answer.json", ["privacy_request.export"], DONE),
    Case("privacy done RAW --note post", ["privacy_request.done"]),
    Case("privacy ask shop-key-1 --order 1", ["privacy_request.ask"], DONE),
    Case("privacy carry-out", ["privacy_request.carried_out"], DONE),
    Case("report run daily_accuracy --format csv", ["report_run.ask"], DONE),
    Case("report schedule funnel --every day", ["report_schedule.create"]),
    Case("report rerun 1", ["report_run.rerun"], DONE),
    Case("report unschedule 1", ["report_schedule.remove"]),
    Case("secrets rotate", ["secret.renew"], DONE),
    Case("site remove 3 --reason closed", ["site.remove"]),
]


def leaves() -> Iterator[tuple[str, click.Command]]:
    return ((" ".join(path), verb) for path, verb in verbs(main))


def test_every_verb_is_tried_or_changes_nothing_of_anybody() -> None:
    with_author = {name for name, verb in leaves() if any(one.callback is _named for one in verb.params)}
    tried = {
        name
        for name in dict(leaves())
        if any(case.words.startswith(f"{name} ") or case.words == name for case in CASES)
    }
    assert with_author - {"config plan"} - ELSEWHERE == tried - {"migrate"}
    assert dict(leaves()).keys() - with_author | {"config plan"} == NOBODY


@pytest.fixture
def world(database: str, engine: sa.Engine, tmp_path: Path) -> PastWorld:
    """Sites, rules with drafts, an order, uploads that Google refused, a privacy request, files."""
    made = PastWorld(database, engine)
    site, third = made.site(), made.site()
    made.define("bought")
    made.draft("bought", priority=3)
    made.assign(site, "bought", "all orders")
    made.assign(third, "bought", "some orders")
    made.order(site, 1, 5)
    made.drain()
    with engine.begin() as connection:
        assignments.change(connection, 2, {"priority": 2}, author="ana")
        connection.execution_options(no_parameters=True).exec_driver_sql(GROUND)
        marts.make(connection)
    (tmp_path / "first.yaml").write_text("priority: 7\n")
    (tmp_path / "rates.csv").write_text("day,currency,reporting_currency,rate,source\n2026-11-02,USD,EUR,0.92,ECB\n")
    (tmp_path / "lines.csv").write_text("site_id,definition_key,label\n1,bought,c\n")
    return made


def entries_after(engine: sa.Engine, last: int) -> Sequence[Any]:
    with engine.connect() as connection:
        return connection.execute(
            sa.text("SELECT * FROM app.audit_entries WHERE id > :last ORDER BY id"), {"last": last}
        ).all()


def write_rules(folder: Path) -> None:
    """A new definition, and another name and one more assignment for the first site."""
    (folder / "definitions" / "vip.yaml").write_text("name: VIP\ntrigger: [order.paid]\n")
    file = folder / "sites" / "shop-key-1.yaml"
    file.write_text(file.read_text().replace("Shop 1", "Shop One") + "- {definition: vip, label: vips}\n")


def test_who_what_before_and_after(
    run: Run, database: str, world: PastWorld, engine: sa.Engine, tmp_path: Path
) -> None:
    with engine.begin() as connection:
        names = {"RAW": str(privacy_delivery(connection, 1, b"{}"))}
    login, runs = getpass.getuser(), set[str]()
    for case in CASES:
        if case.words.startswith("config apply"):
            assert run("config", "export", "rules", DATABASE_URL=database).exit_code == 0
            write_rules(tmp_path / "rules")
        if case.words == "user unlink ana":
            with engine.begin() as connection:
                connection.exec_driver_sql(LINK)
        if case.words == "report rerun 1":
            with engine.begin() as connection:
                connection.exec_driver_sql("UPDATE app.report_runs SET state = 'failed'")
        last = max((row.id for row in entries_after(engine, 0)), default=0)
        words = [names.get(word, word) for word in shlex.split(case.words)]
        keys = f"{NEXT_KEY},{KEY}" if case.words == "secrets rotate" else KEY
        found = run(*words, given=case.given, DATABASE_URL=database, CUSTOM_EVENTS_SECRET_KEY=keys)
        assert found.exit_code == 0, (case.words, found.output)
        made = entries_after(engine, last)
        assert sorted({row.action for row in made}) == sorted(case.actions), (case.words, found.output)
        for row in made:
            assert (row.actor, row.source, row.via) == (login, "command line", f"login {login}"), case.words
            is_fact = case.says == FACT and row.action not in ("bulk_change.run", "bulk_change.undo", "config.apply")
            assert (row.before is not None or row.after is not None) if is_fact else row.detail, (case.words, row)
        (one,) = {row.request_id for row in made}
        assert one not in runs, case.words
        runs.add(one)
        if case.words.startswith("privacy ask"):
            names["REQUEST"] = found.output.split()[1].rstrip(",")
        if case.words.startswith("api-key make"):
            names["PREFIX"] = found.output.split()[-1][:11]
        if case.words.startswith("site secret rotate"):
            with engine.connect() as connection:
                query = "SELECT id FROM app.site_secrets WHERE site_id = :site ORDER BY id LIMIT 1"
                names["SECRET"] = str(connection.execute(sa.text(query), {"site": 3}).scalar_one())


def test_the_author_may_be_another_and_the_login_stays(run: Run, database: str, engine: sa.Engine) -> None:
    words = ("site", "add", "--platform", "custom", "--name", "Shop", "--author", "ana@example.org")
    assert run(*words, DATABASE_URL=database, CUSTOM_EVENTS_SECRET_KEY=KEY).exit_code == 0
    assert {(row.actor, row.via) for row in entries_after(engine, 0)} == {
        ("ana@example.org", f"login {getpass.getuser()}")
    }
