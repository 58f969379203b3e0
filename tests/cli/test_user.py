"""People and API keys from the terminal."""

import json

import pytest
import sqlalchemy as sa

from custom_events.access import api_keys, passwords
from custom_events.queries import people as queries
from tests.cli.conftest import Run

PASSWORD = "four words and more"


def test_the_first_administrator_is_made_and_others_after_them(run: Run, database: str, engine: sa.Engine) -> None:
    assert "Nobody can sign in yet" in run("user", "list", DATABASE_URL=database).output
    command = ("user", "add", "Ana@example.org", "--role", "administrator", "--author", "me")
    result = run(*command, given=f"{PASSWORD}\n", DATABASE_URL=database)
    assert result.output == "ana@example.org may sign in: administrator of all sites.\n"
    run("site", "add", "--platform", "custom", "--name", "Shop", "--domain", "shop.example", DATABASE_URL=database)
    command = ("user", "add", "ben", "--name", "Ben", "--role", "editor@shop.example", "--role", "viewer")
    result = run(*command, given=f"{PASSWORD}\n", DATABASE_URL=database)
    assert "editor of site 1" in result.output
    assert "viewer of all sites" in result.output
    with engine.connect() as connection:
        row = queries.password_hash(connection, "ana@example.org")
        assert row is not None
        assert passwords.fits(row.password_hash, PASSWORD)
        found = connection.execute(sa.text("SELECT actor, source FROM app.audit_entries ORDER BY id LIMIT 1")).one()
    assert tuple(found) == ("me", "command line")
    listed = json.loads(run("user", "list", "--json", DATABASE_URL=database).output)["people"]
    assert [one["login"] for one in listed] == ["ana@example.org", "ben"]


def test_people_are_changed(run: Run, database: str) -> None:
    def user(*words: str, given: str | None = None) -> str:
        result = run("user", *words, given=given, DATABASE_URL=database)
        assert result.exit_code == 0, result.output
        return result.output

    user("add", "ana", "--role", "administrator", given=PASSWORD)
    user("add", "ben", "--role", "viewer", given=PASSWORD)
    assert user("role", "ben", "--role", "publisher") == "ben: publisher of all sites.\n"
    assert user("role", "ben") == "ben: no role.\n"
    assert "new password" in user("password", "ben", given="another four words")
    assert "Nobody signs in as ben" in user("disable", "ben")
    assert "(disabled since" in user("list")
    assert "may sign in" in user("enable", "ben")
    assert "signs in as ben, until" in user("unlink", "ben")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("user", "add", "ana"), "--role viewer"),
        (("user", "add", "ana", "--role", "king"), '"king" is no role'),
        (("user", "add", "ana", "--role", "viewer@nowhere"), 'no site "nowhere"'),
        (("user", "disable", "nobody"), "custom-events user list"),
        (("api-key", "make", "x"), "--role viewer"),
        (("api-key", "make", "x", "--role", "viewer", "--owner", "nobody"), "custom-events user list"),
        (("api-key", "revoke", "ce_00000000"), "no API key"),
    ],
)
def test_what_is_wrong_is_said(run: Run, database: str, command: tuple[str, ...], words: str) -> None:
    result = run(*command, given=PASSWORD, DATABASE_URL=database)
    assert result.exit_code != 0
    assert words in result.output


def test_a_key_is_made_shown_once_and_revoked(run: Run, database: str, engine: sa.Engine) -> None:
    assert "There are no keys yet" in run("api-key", "list", DATABASE_URL=database).output
    run("user", "add", "ana", "--role", "administrator", given=PASSWORD, DATABASE_URL=database)
    made = run("api-key", "make", "deploy", "--role", "viewer", "--days", "9", "--owner", "ana", DATABASE_URL=database)
    key = made.output.split()[-1]
    with engine.connect() as connection:
        caller = api_keys.caller_of(connection, key)
    assert caller is not None
    assert caller.name == "ana"
    listed = run("api-key", "list", DATABASE_URL=database).output
    assert key[:11] in listed
    assert "never used; ends " in listed
    assert key not in listed
    assert "good no longer" in run("api-key", "revoke", key[:11], DATABASE_URL=database).output
    assert "; revoked " in run("api-key", "list", DATABASE_URL=database).output
    (document,) = json.loads(run("api-key", "list", "--json", DATABASE_URL=database).output)["api_keys"]
    assert document["prefix"] == key[:11]
