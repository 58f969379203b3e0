"""People, their passwords, and that there is always an administrator."""

import threading

import pytest
import sqlalchemy as sa

from custom_events.access import api_keys, passwords, people
from custom_events.access.people import Person
from custom_events.access.roles import Grant, Role
from custom_events.catalog import sites
from custom_events.errors import InvalidConfiguration, NeedsAction, NotFound
from custom_events.values.deliveries import Platform

ADMINISTRATOR = (Grant(role=Role.ADMINISTRATOR),)
PASSWORD = "four words and more"


def add(connection: sa.Connection, login: str = "ana@example.org", grants: tuple[Grant, ...] = ADMINISTRATOR) -> Person:
    return people.add(connection, login=login, display_name="Ana", grants=grants, actor="test")


def test_a_person_is_made_found_and_changed(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        made = people.add(
            connection,
            login=" Ana@Example.org",
            display_name="Ana",
            grants=ADMINISTRATOR,
            actor="me",
            password=PASSWORD,
        )
        assert (made.login, made.has_password, made.grants) == ("ana@example.org", True, ADMINISTRATOR)
        assert people.called(connection, "ANA@example.org") == people.get(connection, made.id) == made
        site = sites.create(connection, platform=Platform.CUSTOM, name="Shop", actor="me")
        grants = (*ADMINISTRATOR, Grant(role=Role.EDITOR, site_id=site.id))
        changed = people.change(connection, made.id, actor="me", display_name="Anna", grants=grants)
        assert (changed.display_name, set(changed.grants)) == ("Anna", set(grants))
        assert people.change(connection, made.id, actor="me") == changed
        actions = connection.execute(sa.text("SELECT action FROM app.audit_entries WHERE action LIKE 'person.%'"))
        assert list(actions.scalars()) == ["person.create", "person.update"]


@pytest.mark.parametrize("login", ["", "a", "with space", "ä@example.org", "x" * 255, "-a", "a\0b"])
def test_a_login_has_a_form(engine: sa.Engine, login: str) -> None:
    with engine.begin() as connection, pytest.raises(InvalidConfiguration, match="login"):
        add(connection, login)


def test_what_is_wrong_is_refused(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        made = add(connection)
        with pytest.raises(NeedsAction, match="already"):
            add(connection)
        twice = (Grant(role=Role.VIEWER), Grant(role=Role.EDITOR), Grant(role=Role.EDITOR, site_id=77))
        with pytest.raises(InvalidConfiguration) as caught:
            people.change(connection, made.id, actor="me", grants=twice)
        assert [fault.path for fault in caught.value.faults] == ["grants[1].site_id", "grants[2].site_id"]
        with pytest.raises(InvalidConfiguration, match="fewer than 12"):
            people.set_password(connection, made.id, "short", actor="me")
        for look in (lambda: people.get(connection, 77), lambda: people.called(connection, "nobody")):
            with pytest.raises(NotFound):
                look()


def test_the_last_administrator_stays(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        ana = add(connection)
        ben = add(connection, "ben", (Grant(role=Role.VIEWER),))
        for change in (
            lambda: people.disable(connection, ana.id, actor="me"),
            lambda: people.change(connection, ana.id, actor="me", grants=()),
        ):
            with pytest.raises(NeedsAction, match="last administrator"):
                change()
        people.disable(connection, ben.id, actor="me")  # is none
        people.change(connection, ben.id, actor="me", grants=ADMINISTRATOR)
        with pytest.raises(NeedsAction, match="last administrator"):  # a disabled one does not count
            people.disable(connection, ana.id, actor="me")
        people.enable(connection, ben.id, actor="me")
        assert people.disable(connection, ana.id, actor="me").disabled_at is not None
        people.disable(connection, ana.id, actor="me")  # again: nothing happens
        people.enable(connection, ana.id, actor="me")
        people.enable(connection, ana.id, actor="me")
        counted = connection.execute(sa.text("SELECT count(*) FROM app.audit_entries WHERE action = 'person.disable'"))
        assert counted.scalar_one() == 2


def test_of_two_administrators_who_disable_each_other_one_stays(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        ids = [add(connection, login).id for login in ("ana", "ben")]
    refused: list[Exception] = []
    together = threading.Barrier(2)

    def disable(person_id: int) -> None:
        try:
            with engine.begin() as connection:
                together.wait()
                people.disable(connection, person_id, actor="me")
        except NeedsAction as error:
            refused.append(error)

    threads = [threading.Thread(target=disable, args=(person_id,)) for person_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1


def test_people_are_listed_by_page_and_searched(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        for login in ("ana", "ben", "cleo"):
            add(connection, login)
        people.disable(connection, people.called(connection, "ben").id, actor="me")
        first = people.page(connection, limit=2)
        rest = people.page(connection, after=(first[-1].login, first[-1].id))
        assert [one.login for one in (*first, *rest)] == ["ana", "ben", "cleo"]
        assert [one.login for one in people.page(connection, text="CL")] == ["cleo"]
        assert [one.login for one in people.page(connection, disabled=True)] == ["ben"]
        assert [one.login for one in people.page(connection, disabled=False, sort="created_at")] == ["ana", "cleo"]


def test_passwords_are_hashed_with_argon2id_and_compared() -> None:
    stored = passwords.hashed(PASSWORD)
    assert stored.startswith("$argon2id$")
    assert passwords.fits(stored, PASSWORD)
    assert not passwords.fits(stored, f"{PASSWORD}!")
    assert not passwords.fits(None, "a password of nobody")
    assert not passwords.fits("no hash", PASSWORD)
    assert not passwords.fits(stored, "\ud800")
    assert not passwords.is_outdated(stored)
    assert passwords.is_outdated(stored.replace("m=65536", "m=1024"))


@pytest.mark.parametrize("password", ["x" * 11, " " * 12, "x" * 1025, "eleven\0twelve", "\ud800 and eleven more"])
def test_a_password_is_long_enough_and_a_text(password: str) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        passwords.hashed(password)
    assert caught.value.path == "password"


def test_a_key_may_no_more_than_whose_it_is(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        add(connection, "other")
        ana = add(connection)
        made, key = api_keys.make(
            connection, name="deploy", grants=(Grant(role=Role.PUBLISHER),), actor="me", person_id=ana.id
        )
        caller = api_keys.caller_of(connection, key)
        assert caller is not None
        assert (caller.name, caller.may(Role.PUBLISHER), caller.may(Role.ADMINISTRATOR)) == (
            "ana@example.org",
            True,
            False,
        )
        people.change(connection, ana.id, actor="me", grants=(Grant(role=Role.VIEWER),))
        caller = api_keys.caller_of(connection, key)
        assert caller is not None
        assert caller.grants == (Grant(role=Role.VIEWER),)
        people.disable(connection, ana.id, actor="me")
        assert api_keys.caller_of(connection, key) is None
        assert api_keys.get(connection, made.id).owner == "ana@example.org"


def test_a_key_ends_is_revoked_and_is_noted_when_used(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        made, key = api_keys.make(connection, name="deploy", grants=ADMINISTRATOR, actor="me")
        assert made.last_used_at is None
        caller = api_keys.caller_of(connection, key)
        assert caller is not None
        assert (caller.name, caller.via) == ("me", f"api key {made.prefix}")
        assert api_keys.called(connection, made.prefix).last_used_at is not None
        assert api_keys.caller_of(connection, key[:-1] + ("x" if key[-1] != "x" else "y")) is None
        assert api_keys.caller_of(connection, "something else") is None
        connection.execute(sa.text("UPDATE app.api_keys SET expires_at = now()"))
        assert api_keys.caller_of(connection, key) is None
        connection.execute(sa.text("UPDATE app.api_keys SET expires_at = NULL"))
        assert api_keys.revoke(connection, made.id, actor="me").revoked_at is not None
        api_keys.revoke(connection, made.id, actor="me")
        assert api_keys.caller_of(connection, key) is None
        other, _ = api_keys.make(connection, name="other", grants=ADMINISTRATOR, actor="me")
        assert [one.id for one in api_keys.page(connection, good=True)] == [other.id]
        assert [one.id for one in api_keys.page(connection, good=False, sort="created_at")] == [made.id]
        kept = connection.execute(sa.text("SELECT secret_digest FROM app.api_keys")).scalars()
        assert key.encode() not in {bytes(one) for one in kept}


def test_a_key_that_cannot_be_made(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        past = connection.execute(sa.text("SELECT now() - interval '1 second'")).scalar_one()
        with pytest.raises(InvalidConfiguration) as caught:
            api_keys.make(connection, name=" ", grants=(), actor="me", expires_at=past)
        assert [fault.path for fault in caught.value.faults] == ["name", "expires_at", "grants"]
        for look in (lambda: api_keys.get(connection, 7), lambda: api_keys.called(connection, "ce_00000000")):
            with pytest.raises(NotFound):
                look()


@pytest.mark.parametrize(
    ("password", "about"),
    [
        ("password12345", ()),
        ("aaaaaaaaaaaaaaaa", ()),
        ("qwertyuiop1234", ()),
        ("ana@example.org1", ("ana@example.org",)),
        ("custom-events-2", ()),
    ],
)
def test_a_password_that_is_easy_to_guess_is_refused(password: str, about: tuple[str, ...]) -> None:
    with pytest.raises(InvalidConfiguration, match="easy to guess"):
        passwords.hashed(password, about=about)
    assert passwords.fits(passwords.rehashed(password), password)  # chosen under older rules, it still signs in


def test_a_long_password_is_judged_by_its_beginning() -> None:
    assert passwords.fits(passwords.hashed("x" + "four words and more " * 10), "x" + "four words and more " * 10)
