"""What each program is told by its environment: its own settings and its own login, and no secret of another one's."""

from collections.abc import Mapping
from typing import Final

from pydantic import SecretStr

from custom_events.settings import DOTENV, Settings, variable_of

# Names of variables that are given to programs by name alone; whatever else the machine has (PATH, LANG, proxies) goes to all.
_OURS: Final = ("CUSTOM_EVENTS_", "GOOGLE_", "DAGSTER_", "AWS_", "AZURE_")
_ALSO_OURS: Final = frozenset({"DATABASE_URL", "PGOPTIONS", "PGPASSWORD", "PGPASSFILE", "PGSERVICE"})
# Marks by which the supervisor finds its children.
_MARKS: Final = frozenset({"CUSTOM_EVENTS_SUPERVISOR", "CUSTOM_EVENTS_SUPERVISED"})

# All that the receiver reads.
RECEIVER_SETTINGS: Final = frozenset(
    (
        *("local_directory", "secret_key", "log_level", "log_json", "quarantine_bodies_per_day"),
        *("receiver_host", "receiver_port", "receiver_url", "receiver_workers", "receiver_role"),
        *("receiver_connections", "receiver_figures_port", "receiver_figures_host"),
        *("body_limit_bytes", "queue_limit", "group_limit", "retry_after_s", "replay_window_s", "site_cache_s"),
        *("collect_per_site", "collect_per_client"),
    )
)
_LOGINS: Final = frozenset(name for name in Settings.model_fields if name.endswith("_database_url"))
_TELLING: Final = frozenset(("alarm_smtp_url", "alarm_slack_url", "alarm_teams_url"))
# What the console is not given: nothing of it tells alarms. It asks Google what an account allows, and so has Google's credentials.
_NOT_THE_CONSOLES: Final = _LOGINS | _TELLING
# What Dagster's processes are not given: they serve neither stores nor people.
_NOT_THE_PIPELINES: Final = (_LOGINS - {"reporting_database_url"}) | {"openid_client_secret"}


def receiver_variables() -> frozenset[str]:
    """The variables of ours that the receiver is given."""
    return frozenset(map(variable_of, RECEIVER_SETTINGS)) | {"DATABASE_URL"}


def console_variables(settings: Settings) -> frozenset[str]:
    """The variables of ours that the console is given. The mail server of alarms only where it is that of reports as well, whose receivers
    people set and try there."""
    own = _all_but(_NOT_THE_CONSOLES)
    return own if settings.report_smtp_url is not None else own | {variable_of("alarm_smtp_url")}


def pipeline_variables() -> frozenset[str]:
    """The variables of ours that Dagster's processes are given, those of Dagster and dbt excepted."""
    return _all_but(_NOT_THE_PIPELINES)


def restricted(environment: Mapping[str, str], variables: frozenset[str], *beginnings: str) -> dict[str, str]:
    """Of `environment` what is not ours, and of ours what is named or begins so. The program reads no .env, which holds the rest."""
    allowed = {
        name: value
        for name, value in environment.items()
        if not _is_ours(name) or name in variables or name in _MARKS or name.startswith(beginnings)
    }
    return {**allowed, DOTENV: ""}


def login(own: SecretStr | None, url: str) -> str:
    """The address that a program logs in by: its own where it has one."""
    return url if own is None else own.get_secret_value()


def _all_but(fields: frozenset[str]) -> frozenset[str]:
    return frozenset(variable_of(name) for name in Settings.model_fields if name not in fields)


def _is_ours(name: str) -> bool:
    return name.startswith(_OURS) or name in _ALSO_OURS
