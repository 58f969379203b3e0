"""Every setting of every process, read from the environment (prefix `CUSTOM_EVENTS_`) and `.env`.

`DATABASE_URL` and the variables of the Google client keep their usual names. `settings()` is cached: tests that change
the environment call `settings.cache_clear()`.
"""

from functools import cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """One class for all processes; each field has a type, a unit in its name where it has one, a default and a sentence."""

    model_config = SettingsConfigDict(
        env_prefix="CUSTOM_EVENTS_", env_file=".env", extra="ignore", populate_by_name=True
    )

    # ---------------------------------------------------------------- where things are
    local_directory: Path = Field(
        Path(".local"), description="Embedded server, certificates, logs and figures live here."
    )
    database_url: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="PostgreSQL 15 or newer (postgresql://user:password@host:port/name). Unset: the embedded server.",
    )
    secret_key: SecretStr | None = Field(
        None,
        description="Fernet key (44 characters) that encrypts site secrets at rest; old ones after it, separated by commas, still decrypt. Unset: one is made in `local_directory`.",
    )

    # ---------------------------------------------------------------- addresses
    receiver_host: str = Field("127.0.0.1", description="Address the receiver listens on.")
    receiver_port: int = Field(8000, description="TCP port of the receiver.")
    console_host: str = Field("127.0.0.1", description="Address the console's server listens on.")
    console_port: int = Field(8080, description="TCP port of the console's server.")
    dagster_host: str = Field("127.0.0.1", description="Address Dagster's webserver listens on.")
    dagster_port: int = Field(3000, description="TCP port of Dagster's webserver.")
    sandbox_grpc_port: int = Field(50551, description="TCP port of the sandbox's Google, gRPC with TLS.")
    sandbox_http_port: int = Field(
        50552, description="TCP port of the sandbox's Google: REST, token endpoint, control."
    )

    # ---------------------------------------------------------------- receiver
    receiver_workers: int = Field(
        1, ge=1, description="Receiver processes; one for each one or two cores (reference: performance)."
    )
    body_limit_bytes: int = Field(
        2 * 1024 * 1024, description="Largest webhook body in bytes; above it the answer is 413."
    )
    queue_limit: int = Field(
        2048, ge=1, description="Requests that may wait for the writer, per process; above it 503."
    )
    group_limit: int = Field(256, ge=1, description="Most deliveries committed in one transaction.")
    retry_after_s: int = Field(5, ge=1, description="Seconds named in Retry-After when the answer is 503.")
    replay_window_s: int = Field(300, ge=1, description="Seconds a timestamped signature (our own scheme) stays valid.")
    site_cache_s: float = Field(
        5.0, ge=0, description="Seconds that site keys and secrets are kept in a receiver's memory."
    )
    quarantine_bodies_per_day: int = Field(
        10_000, ge=0, description="Refused deliveries kept with their body, per day; the rest is counted."
    )

    receiver_role: bool = Field(
        True,
        description="The receiver gives up its login's rights for those of its own role; false where that role cannot be made.",
    )

    # ---------------------------------------------------------------- configuration
    publish_needs_second_person: bool = Field(
        False,
        description="A revision is published by somebody else than who drafted it; to pause or to retire needs nobody else.",
    )

    # ---------------------------------------------------------------- retention
    raw_retention_days: int = Field(
        90, ge=1, description="Days that raw events (bodies) are kept before their partition is dropped."
    )
    event_retention_days: int = Field(760, ge=1, description="Days that commerce events and custom events are kept.")
    partitions_ahead_days: int = Field(45, ge=1, description="Days ahead for which partitions are made.")

    # ---------------------------------------------------------------- pipeline
    batch_size: int = Field(5_000, ge=1, description="Raw events in one transaction (1,000 to 25,000 measured alike).")
    shards: int = Field(16, ge=1, description="Shards that sites are spread over; one worker holds a shard at a time.")
    drain_idle_s: float = Field(20.0, ge=0, description="Seconds without work after which a draining run ends.")
    drain_limit_s: float = Field(
        600.0, ge=1, description="Longest life of a draining run in seconds; then it hands over."
    )
    drain_poll_s: float = Field(0.5, gt=0, description="Seconds between looks for new work while a run drains.")

    # ---------------------------------------------------------------- uploads
    upload_batch_size: int = Field(
        2_000, ge=1, le=2_000, description="Rows in one request to Google (its own limit is 2,000)."
    )
    upload_timeout_s: float = Field(
        60.0, gt=0, description="Deadline of one call to Google in seconds; the client has none of its own."
    )
    upload_lease_s: float = Field(
        300.0, gt=0, description="Seconds a claimed row stays with its worker before others may resolve it."
    )
    upload_verdict_s: float = Field(
        1_800.0,
        gt=0,
        description="Seconds before the Data Manager API is first asked for its verdict (Google: 30 minutes).",
    )
    google_ads_operations_per_day: int | None = Field(
        2_880,
        ge=1,
        description="Calls in 24 hours to the Google Ads API that the Cloud project may make, one a request whatever it holds (Explorer 2,880, Basic 15,000; empty: without end).",
    )
    google_ads_operations_per_minute: int = Field(
        1_200,
        ge=2,
        description="Calls a minute to the Google Ads API, all accounts together (Google names no figure; its answers slow us down as well).",
    )
    data_manager_requests_per_day: int | None = Field(
        100_000, ge=1, description="Calls in 24 hours to the Data Manager API that the Cloud project may make."
    )
    data_manager_requests_per_minute: int = Field(
        300, ge=2, description="Calls a minute to the Data Manager API that the Cloud project may make."
    )
    upload_account_calls_per_minute: int = Field(
        240, ge=2, description="Calls a minute for one ads account on either lane (Google names no figure)."
    )
    upload_live_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of minute and day that is kept for today's conversions while those of the past (a replay, an import) are sent.",
    )
    google_ads_endpoint: str | None = Field(
        None,
        validation_alias="GOOGLE_ADS_ENDPOINT",
        description="host:port of the Google Ads API; the sandbox's in demo and tests.",
    )
    data_manager_endpoint: str | None = Field(
        None, description="Address of the Data Manager API; http://... selects its REST transport."
    )
    data_manager_zero_value: bool = Field(
        True,
        description="The Data Manager API takes a conversion back by the value 0; false: such rows are withheld instead.",
    )
    google_json_key_file: Path | None = Field(
        None,
        validation_alias="GOOGLE_ADS_JSON_KEY_FILE_PATH",
        description="Service account key for both lanes to Google.",
    )

    # ---------------------------------------------------------------- alarms
    console_url: str = Field("http://127.0.0.1:8080", description="Where people open the console; alarms link to it.")
    alarm_email_to: str | None = Field(None, description="E-mail addresses that alarms go to, separated by commas.")
    alarm_email_from: str | None = Field(None, description="Sender of those e-mails. Unset: the first receiver.")
    alarm_smtp_url: SecretStr | None = Field(
        None,
        description="Mail server: smtps://user:password@host:port, smtp+starttls://... or, unencrypted, smtp://host.",
    )
    alarm_slack_url: SecretStr | None = Field(None, description="Address of a Slack incoming webhook.")
    alarm_teams_url: SecretStr | None = Field(
        None, description="Address of a Teams workflow that takes an incoming webhook."
    )

    # ---------------------------------------------------------------- logging
    log_level: str = Field("INFO", description="Least severe level that is logged.")
    log_json: bool = Field(True, description="One JSON object a line; false: for people.")


def variable_of(field: str) -> str:
    """The environment variable of a field (or of an alias, which is the variable itself)."""
    known = Settings.model_fields.get(field)
    if known is None:
        return field
    alias = known.validation_alias
    return alias if isinstance(alias, str) else f"{Settings.model_config.get('env_prefix', '')}{field}".upper()


@cache
def settings() -> Settings:
    """The process's settings, read once."""
    return Settings()  # pyright: ignore[reportCallIssue]  (fields come from the environment)
