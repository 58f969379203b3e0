"""The dashboards of Grafana, from the list of figures: `make docs` writes deploy/grafana. A test holds every figure that they name against the programs."""

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

FOLDER: Final = Path(__file__).parents[1] / "deploy" / "grafana"
WIDTH: Final = 24  # of Grafana's grid
HEIGHT: Final = 8
SOURCE: Final = {"type": "prometheus", "uid": "${source}"}


class Panel(NamedTuple):
    """A drawing: `query` in PromQL, `legend` by labels in double braces, `unit` as Grafana names it; `stat`: the last value in large."""

    title: str
    query: str
    unit: str = "short"
    legend: str = ""
    stat: bool = False


FLOW: Final = (
    Panel("Waiting to be understood", "custom_events_pipeline_backlog_rows", stat=True),
    Panel("The oldest of them", "custom_events_pipeline_backlog_age_seconds", "s", stat=True),
    Panel("Due and not sent, the oldest", "max(custom_events_uploads_due_age_seconds)", "s", stat=True),
    Panel("Sums that do not agree", "sum(custom_events_sums_gaps)", stat=True),
    Panel(
        "Landed a second", "sum by (platform) (rate(custom_events_receiver_landed_total[5m]))", "ops", "{{platform}}"
    ),
    Panel(
        "Refused a second",
        "sum by (reason) (rate(custom_events_receiver_refused_total[5m]))",
        "ops",
        "{{reason}}",
    ),
    Panel("Parked, 24 hours", "custom_events_pipeline_parked_rows", legend="{{site}} {{reason}}"),
    Panel("Uploads that wait", "sum by (state) (custom_events_uploads_waiting_rows)", legend="{{state}}"),
    Panel("Held, by reason", "sum by (reason) (custom_events_uploads_held_rows)", legend="{{reason}}"),
    Panel("Answers of 24 hours", "sum by (verdict) (custom_events_uploads_answered_rows)", legend="{{verdict}}"),
    Panel("Taken of what was sent", "custom_events_uploads_success_ratio", "percentunit", "{{account}}"),
    Panel(
        "Too late soon",
        "sum by (within_hours) (custom_events_uploads_expiring_rows)",
        legend="within {{within_hours}} h",
    ),
    Panel("Hours of less than usual", "custom_events_traffic_quiet_hours > 0", "h", "{{site}} {{subject}}"),
    Panel("Orders that no delivery brought", "custom_events_recovery_missing_orders", legend="{{site}} {{kind}}"),
)
SERVING: Final = (
    Panel("Deliveries a second", "sum(rate(custom_events_receiver_received_total[5m]))", "ops", stat=True),
    Panel("Waiting for their commit", "custom_events_receiver_queue_depth", stat=True),
    Panel(
        "Commit, 99 of 100 within",
        "histogram_quantile(0.99, sum by (le) (rate(custom_events_receiver_commit_seconds_bucket[5m])))",
        "s",
        stat=True,
    ),
    Panel(
        "Connections closed a second",
        "sum by (reason) (rate(custom_events_receiver_connections_closed_total[5m]))",
        "ops",
        "{{reason}}",
    ),
    Panel(
        "Requests to the console a second",
        "sum by (status) (rate(custom_events_console_requests_total[5m]))",
        "ops",
        "{{status}}",
    ),
    Panel(
        "The console, 95 of 100 within",
        "histogram_quantile(0.95, sum by (le, route) (rate(custom_events_console_request_seconds_bucket[5m])))",
        "s",
        "{{route}}",
    ),
    Panel(
        "Part of Google's calls that is left",
        "custom_events_uploads_daily_calls_left_ratio",
        "percentunit",
        "{{bucket}}",
    ),
    Panel("Jobs that are late", "custom_events_scheduled_job_late_seconds > 0", "s", "{{job}}"),
)
DASHBOARDS: Final = {
    "custom-events-flow": ("Custom Events: from delivery to Google", FLOW),
    "custom-events-serving": ("Custom Events: receiver and console", SERVING),
}


def dashboard(name: str) -> str:
    """The JSON of one dashboard, as Grafana imports it."""
    title, panels = DASHBOARDS[name]
    return (
        json.dumps(
            {
                "uid": name,
                "title": title,
                "schemaVersion": 41,
                "version": 1,
                "editable": True,
                "tags": ["custom-events"],
                "time": {"from": "now-24h", "to": "now"},
                "refresh": "1m",
                "templating": {
                    "list": [{"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}]
                },
                "panels": _placed(panels),
            },
            indent=1,
        )
        + "\n"
    )


def write(folder: Path = FOLDER) -> None:
    """Write every dashboard into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in DASHBOARDS:
        (folder / f"{name}.json").write_text(dashboard(name), encoding="utf-8")


def _placed(panels: tuple[Panel, ...]) -> list[dict[str, Any]]:
    """Row by row from the left: four values in a row, two drawings."""
    placed = list[dict[str, Any]]()
    x, y, last = 0, 0, 0
    for number, panel in enumerate(panels, start=1):
        width, height = (WIDTH // 4, HEIGHT // 2) if panel.stat else (WIDTH // 2, HEIGHT)
        if x + width > WIDTH or (last and height != last):
            x, y = 0, y + last
        placed.append(
            {
                "id": number,
                "title": panel.title,
                "type": "stat" if panel.stat else "timeseries",
                "datasource": SOURCE,
                "gridPos": {"x": x, "y": y, "w": width, "h": height},
                "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
                "targets": [{"refId": "A", "expr": panel.query, "legendFormat": panel.legend, "datasource": SOURCE}],
            }
        )
        x, last = x + width, height
    return placed
