"""Every setting of every process, read from the environment (prefix `CUSTOM_EVENTS_`) and `.env`.

`DATABASE_URL` and the variables of the Google client keep their usual names. `settings()` is cached: tests that change
the environment call `settings.cache_clear()`.
"""

import os
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from custom_events.serving_settings import ServingSettings

_HERE = ("localhost", "127.0.0.1", "::1")
DEMO_FILE = (
    "demo.env"  # in the local directory while a demo runs on its embedded server: where its stand-in for Google is
)


class Settings(ServingSettings):
    """One class for all processes; each field has a type, a unit in its name where it has one, a default and a sentence."""

    @field_validator("data_manager_endpoint", "google_ads_endpoint")
    @classmethod
    def _encrypted(cls, value: str | None) -> str | None:
        """What goes to Google is customers' data: in clear to this machine alone, where the sandbox is."""
        if value is not None and value.startswith("http://") and urlsplit(value).hostname not in _HERE:
            raise ValueError(
                "http goes to this machine alone (the sandbox): write https://, or leave it unset for Google's own"
            )
        return value

    @field_validator("archive_url")
    @classmethod
    def _is_place(cls, value: str | None) -> str | None:
        """A folder of this machine or a bucket: no other kind of address is known, and a relative folder depends on where a program starts."""
        if (
            value is None
            or value.startswith("/")
            or (value.startswith("s3://") and value.removeprefix("s3://").strip("/"))
        ):
            return value
        raise ValueError("write a folder by its whole path (/srv/archive) or a bucket (s3://bucket/prefix)")

    # ---------------------------------------------------------------- configuration
    publish_needs_second_person: bool = Field(
        False,
        description="A revision is published by somebody else than who drafted it; to pause or to retire needs nobody else.",
    )

    # ---------------------------------------------------------------- retention
    raw_retention_days: int = Field(
        90, ge=1, description="Days that raw events (bodies) are kept before their partition is dropped."
    )
    archive_url: str | None = Field(
        None,
        description="Where raw events are archived before their partition is dropped: a folder (/srv/archive) or S3-compatible storage (s3://bucket/prefix). Unset: nowhere, and what is dropped is gone. Nothing is dropped that is not in it.",
    )
    archive_endpoint: str | None = Field(
        None, description="Address of that storage where it is not Amazon's: https://storage.example.org."
    )
    archive_region: str | None = Field(None, description="Region of that storage, eu-central-1 for example.")
    archive_access_key_id: str | None = Field(
        None, description="Access key of that storage. Unset: as Amazon's clients find one (environment, role)."
    )
    archive_secret_access_key: SecretStr | None = Field(
        None, description="Its secret; it may list, read, write and delete below the prefix, and nothing else."
    )
    quarantine_retention_days: int = Field(14, ge=1, description="Days that refused deliveries are kept.")
    customer_retention_days: int = Field(
        760, ge=91, description="Days after which a customer of whom nothing was heard is forgotten."
    )
    ledger_identifiers_days: int = Field(
        120,
        ge=91,
        description="Days after a conversion for which click ids and hashes stay in its settled row (Google takes clicks for 90 days, adjustments for 54).",
    )
    event_retention_days: int = Field(760, ge=1, description="Days that commerce events and custom events are kept.")
    dagster_retention_days: int = Field(
        14,
        ge=1,
        description="Days that Dagster's finished runs are kept with their events, results of checks and logs (26 kB each), and ticks that started one.",
    )
    partitions_ahead_days: int = Field(45, ge=1, description="Days ahead for which partitions are made.")

    spark_master: str = Field(
        "local[*]",
        description="Where `replay --engine spark` computes: local[4] (threads of this machine), local-cluster[2,1,1024] (processes of it), spark://host:7077; all else as Spark itself is configured (SPARK_CONF_DIR).",
    )

    # ---------------------------------------------------------------- stores' own APIs
    store_api_private: bool = Field(
        False,
        description="Orders may be read from stores at private addresses and by http: for the sandbox. False: by https from public ones alone.",
    )

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
        description="Calls in 24 hours to the Google Ads API that the Cloud project may make, one a request whatever it holds (Explorer 2,880, Basic 15,000; empty: no limit).",
    )
    google_ads_operations_per_minute: int = Field(
        1_200,
        ge=2,
        description="Calls a minute to the Google Ads API, all accounts together (Google names no figure; its answers slow us down as well).",
    )
    data_manager_requests_per_day: int | None = Field(
        100_000,
        ge=1,
        description="Calls in 24 hours to the Data Manager API that the Cloud project may make (empty: no limit).",
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
    retract_cancelled_after_h: float = Field(
        24.0,
        ge=0,
        description="Hours after an order's cancellation before its conversion is retracted over the Google Ads API, which takes no retraction back; 0: at once.",
    )
    retract_deleted_after_h: float = Field(
        24.0, ge=0, description="Hours after an order was trashed or deleted before the same is done."
    )
    retract_payment_lost_after_h: float = Field(
        72.0,
        ge=0,
        description="Hours after a payment failed, was voided or disputed before the same is done (the site's `payment_lost` says whether).",
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

    # ---------------------------------------------------------------- where reports go
    report_folder: Path | None = Field(
        None,
        description="Folder below which files of reports are delivered, where a target is a folder. Unset: `delivered-reports` in `local_directory`.",
    )
    report_private_addresses: bool = Field(
        False,
        description="Reports may be delivered to addresses of this machine and of private networks (webhooks, storage), there also by http; false: only to public ones, by https.",
    )
    report_smtp_url: SecretStr | None = Field(
        None,
        description="Mail server of reports, written as `alarm_smtp_url`; unencrypted only on this machine. Unset: that of alarms.",
    )
    report_email_from: str | None = Field(
        None, description="Sender of reports by e-mail. Unset: that of alarms, else their first receiver."
    )
    report_email_domains: str | None = Field(
        None,
        description="Domains whose addresses reports may be mailed to, separated by commas (example.org, example.com). Unset: any.",
    )
    report_email_limit_bytes: int = Field(
        7_000_000,
        ge=1,
        description="Largest file that is attached to an e-mail, in bytes (most servers take mails of 10 MB, and a file grows by a third); above it the mail says where the file is.",
    )
    report_webhook_limit_bytes: int = Field(
        25_000_000,
        ge=1,
        description="Largest file that is posted to a webhook, in bytes; above it the delivery fails and says so.",
    )
    report_delivery_timeout_s: float = Field(
        30.0,
        gt=0,
        description="Seconds that a mail server, a webhook or storage may be silent before a delivery is tried again later.",
    )

    # ---------------------------------------------------------------- alarms
    console_url: str = Field(
        "http://127.0.0.1:8080",
        description="Where people open the console; alarms link to it. A path in it (https://example.org/custom-events) is the prefix below which a proxy shows the console, whether the proxy leaves that in the paths it asks for or takes it away.",
    )
    alarm_email_to: str | None = Field(None, description="E-mail addresses that alarms go to, separated by commas.")
    alarm_email_from: str | None = Field(None, description="Sender of those e-mails. Unset: the first receiver.")
    alarm_smtp_url: SecretStr | None = Field(
        None,
        description="Mail server: smtps://user:password@host:port, smtp+starttls://...; smtp://localhost for a server on this machine, unencrypted.",
    )
    alarm_slack_url: SecretStr | None = Field(None, description="Address of a Slack incoming webhook.")
    alarm_teams_url: SecretStr | None = Field(
        None, description="Address of a Teams workflow that takes an incoming webhook."
    )

    # ---------------------------------------------------------------- reports
    report_lease_s: float = Field(
        300.0,
        gt=0,
        description="Seconds a run of a report stays with a worker that says nothing before another takes it up.",
    )
    report_rows_limit: int = Field(
        2_000_000, ge=1, description="Most rows of a report's file; one that would have more fails and says so."
    )
    report_bytes_limit: int = Field(
        1024 * 1024 * 1024,
        ge=1,
        description="Largest file of a report in bytes; one that would be larger fails and says so.",
    )
    report_retention_days: int = Field(
        30,
        ge=1,
        description="Days that files of reports are kept in `local_directory`, unless their schedule says otherwise.",
    )
    report_log_days: int = Field(
        400,
        ge=1,
        description="Days that runs of reports stay in the log with their digest; those with a file stay until it is removed.",
    )
    reporting_currency: str = Field(
        "EUR",
        pattern="^[A-Z]{3}$",
        description="ISO 4217 code of the currency that reports add amounts up in; others by the rates that `custom-events rates load` has loaded. The first build after a change computes everything anew.",
    )
    exchange_rate_days: int = Field(
        7,
        ge=0,
        le=31,
        description="Days after its own for which an exchange rate holds where no newer one was loaded (weekends, holidays).",
    )
    attribution_lookback_days: int = Field(
        30,
        ge=1,
        le=400,
        description="Days before an order within which a touch shares its credit. The first build after a change computes attribution anew.",
    )
    attribution_half_life_days: int = Field(
        7,
        ge=1,
        le=400,
        description="Days after which a touch counts half in the attribution model `time_decay`. The first build after a change computes attribution anew.",
    )

    report_threads: int = Field(
        1,
        ge=1,
        le=32,
        description="Tables that a build of the reports computes at once; each takes a processor of the database from the batches of the pipeline.",
    )

    # ---------------------------------------------------------------- traces
    traces_endpoint: str | None = Field(
        None,
        description="Where the console sends traces of its requests: OTLP over HTTP, http://collector:4318/v1/traces. Unset: nowhere.",
    )
    traces_share: float = Field(
        1.0, ge=0, le=1, description="Share of requests that are traced, where whoever asks has not decided it."
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


def as_variables(settings: Settings) -> dict[str, str]:
    """The variables that make `Settings()` read what was set explicitly in `settings`, whether by a variable or in .env."""
    variables: dict[str, str] = {}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        text = "" if value is None else str(value)  # set and empty, which counts as none
        variables[variable_of(name)] = value.get_secret_value() if isinstance(value, SecretStr) else text
    return variables


DOTENV = "CUSTOM_EVENTS_DOTENV"  # empty: no .env is read; the supervisor sets it, and hands a program what it needs


@cache
def settings() -> Settings:
    """The process's settings, read once."""
    if os.environ.get(DOTENV) == "":
        return Settings(_env_file=None)  # pyright: ignore[reportCallIssue]
    return Settings()  # pyright: ignore[reportCallIssue]  (fields come from the environment)
