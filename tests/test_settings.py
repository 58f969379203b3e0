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
