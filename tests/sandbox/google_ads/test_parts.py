"""The parts that need no server: click ids, clock, certificates, names of the installed packages."""

import ssl
from datetime import UTC, datetime, timedelta
from enum import unique
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.google_ads import certificates, error_names, installed
from sandbox.google_ads.click_ids import Click, ClickFlag, make_click_id, parse_click_id
from sandbox.google_ads.clock import Clock
from sandbox.google_ads.error_names import ErrorName, installed_numbers
from sandbox.google_ads.seed import default_seed, read_seed_file

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KINDS = st.sampled_from(["gclid", "gbraid", "wbraid"])
CUSTOMERS = st.integers(0, 9_999_999_999).map(lambda number: f"{number:010d}")
TIMES = st.integers(0, 2**32 - 1).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@settings(max_examples=100, deadline=None)
@given(KINDS, CUSTOMERS, TIMES, st.integers(0, 2**32 - 1), st.sampled_from(list(ClickFlag)))
def test_a_click_id_says_what_it_was_made_of(kind: Any, customer: str, at: Any, serial: Any, flags: Any) -> None:
    text = make_click_id(kind, customer, at, serial, flags)
    assert text == make_click_id(kind, customer, at, serial, flags)
    assert parse_click_id(kind, text) == Click(kind, customer, int(at.timestamp()), serial, int(flags))


@settings(max_examples=50, deadline=None)
@given(KINDS, st.integers(0, 2**32 - 1), st.integers(0, 31), st.characters(min_codepoint=33, max_codepoint=126))
def test_any_changed_character_breaks_a_click_id(kind: Any, serial: Any, position: Any, character: Any) -> None:
    text = make_click_id(kind, "1234567890", NOW, serial)
    changed = text[:position] + character + text[position + 1 :]
    same = changed == text or changed.replace("+", "-").replace("/", "_") == text  # both alphabets of base64 are read
    assert (parse_click_id(kind, changed) is None) is not same


def test_click_ids_of_other_kinds_and_wrong_arguments() -> None:
    text = make_click_id("gclid", "1234567890", NOW, 1)
    assert text.startswith("Cj")
    assert parse_click_id("wbraid", text) is None
    assert parse_click_id("gclid", text.lower()) is None
    with pytest.raises(ValueError, match="kind 'dclid'"):
        make_click_id("dclid", "1234567890", NOW, 1)
    with pytest.raises(ValueError, match="no time zone"):
        make_click_id("gclid", "1234567890", NOW.replace(tzinfo=None), 1)


def test_a_running_clock_and_a_standing_one() -> None:
    clock = Clock()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    clock.move(timedelta(days=1))
    assert clock.now() - datetime.now(UTC) > timedelta(hours=23)
    stood = clock.freeze()
    assert clock.now() == stood
    assert clock.run() >= stood
    running = clock.run()
    assert clock.now() >= running
    standing = Clock(NOW)
    assert standing.move_to(NOW + timedelta(hours=1)) == NOW + timedelta(hours=1)
    with pytest.raises(ValueError, match="cannot go back"):
        standing.move_to(NOW)
    with pytest.raises(ValueError, match="no time zone"):
        Clock(NOW.replace(tzinfo=None))


def test_certificates_are_made_once(tmp_path: Path) -> None:
    first = certificates.ensure(tmp_path / "new")
    kept = first.ca_file.read_bytes()
    assert certificates.ensure(tmp_path / "new") == first
    assert first.ca_file.read_bytes() == kept
    assert first.key_file.stat().st_mode & 0o077 == 0
    context = ssl.create_default_context(cafile=str(first.ca_file))
    context.load_cert_chain(first.certificate_file, first.key_file)


def test_every_name_is_an_installed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = installed_numbers()
    assert numbers[error_names.ConversionUpload.TOO_RECENT_EVENT] == 44
    assert len(numbers) == sum(len(family) for family in error_names.FAMILIES)

    @unique
    class Date(ErrorName):
        SOMETHING_NEW = "?"

    monkeypatch.setattr(error_names, "FAMILIES", (Date,))
    with pytest.raises(LookupError, match=r"date_error\.SOMETHING_NEW"):
        installed_numbers()


def test_every_enum_constant_is_an_installed_one() -> None:
    assert installed.ads_enums().consent.number("GRANTED") == 2
    assert installed.ads_enums().consent.name(99) == "UNKNOWN"
    assert installed.data_manager_enums().error_reason.number("TOO_MANY_EVENTS") == 32
    with pytest.raises(LookupError, match="PERHAPS is none of"):
        installed.ads_enums().consent.number("PERHAPS")

    class Descriptor:
        full_name = "some.Enum"
        values = ()

    with pytest.raises(LookupError, match=r"some\.Enum has no MISSING"):
        installed.EnumTable(Descriptor, ["MISSING"])


def test_a_seed_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "seed.json"
    path.write_text('{"customers": [{"customer_id": "1234567890"}], "switches": {"tokens_strict": true}}')
    assert read_seed_file(path).switches.tokens_strict
    assert [action.action_id for action in default_seed().actions] == ["7001", "7002"]
