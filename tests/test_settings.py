from pathlib import Path
from typing import get_args

import pytest

from custom_events.settings import Settings, settings, variable_of


def test_settings_are_read_once_until_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    settings.cache_clear()
    monkeypatch.setenv("CUSTOM_EVENTS_RECEIVER_PORT", "8123")
    assert settings().receiver_port == 8123
    monkeypatch.setenv("CUSTOM_EVENTS_RECEIVER_PORT", "8124")
    assert settings().receiver_port == 8123
    settings.cache_clear()
    assert settings().receiver_port == 8124
    settings.cache_clear()


@pytest.mark.parametrize(
    ("field", "variable"),
    [
        ("receiver_port", "CUSTOM_EVENTS_RECEIVER_PORT"),
        ("database_url", "DATABASE_URL"),
        ("google_json_key_file", "GOOGLE_ADS_JSON_KEY_FILE_PATH"),
        ("DATABASE_URL", "DATABASE_URL"),
    ],
)
def test_every_field_has_its_variable(field: str, variable: str) -> None:
    assert variable_of(field) == variable


def test_every_field_has_a_sentence() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:hush@host/db")
    assert "hush" not in repr(Settings(_env_file=None))


def test_without_a_provider_people_keep_their_passwords() -> None:
    with pytest.raises(ValueError, match="CUSTOM_EVENTS_OPENID_ISSUER"):
        Settings(_env_file=None, password_sign_in=False)
    assert not Settings(_env_file=None, password_sign_in=False, openid_issuer="https://login.example").password_sign_in


@pytest.mark.parametrize("empty", ["", "  "])
@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_can_be_set_empty(monkeypatch: pytest.MonkeyPatch, name: str, empty: str) -> None:
    field = Settings.model_fields[name]
    monkeypatch.delenv(variable_of(name), raising=False)
    unset = getattr(Settings(_env_file=None), name)
    monkeypatch.setenv(variable_of(name), empty)
    may_be_missing = type(None) in get_args(field.annotation)
    assert getattr(Settings(_env_file=None), name) == (None if may_be_missing else unset)
    if may_be_missing and field.default is not None:
        assert "empty: " in (field.description or "")  # empty is not the default, so the page says what it is


def test_an_empty_line_of_a_file_counts_as_unset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "CUSTOM_EVENTS_GOOGLE_ADS_OPERATIONS_PER_DAY"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / ".env"
    file.write_text("DATABASE_URL=\nCUSTOM_EVENTS_GOOGLE_ADS_OPERATIONS_PER_DAY=\nCUSTOM_EVENTS_BATCH_SIZE=\n")
    found = Settings(_env_file=file)
    assert (found.database_url, found.google_ads_operations_per_day, found.batch_size) == (None, None, 5_000)
