"""The figures in Prometheus' text format, and the rules for its alarms: both from the lists that the watcher uses."""

from collections.abc import Iterator
from typing import Any, Final

import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from custom_events.watching.alarms import WATCHES, Watch
from custom_events.watching.metrics import METRICS, Reading
from custom_events.watching.runbooks import runbook

SILENCE: Final = "FiguresMissing"  # the alarm of Prometheus alone
_HEADER: Final = (
    "# Written by `make docs` (custom_events/watching/exposition.py) from the alarms that the watcher tells; do not edit.\n"
    "# The console serves the figures at /metrics; the receiver its own at /metrics of a port of their own (receiver_figures_port, 8001).\n"
)


class _Collector:
    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def collect(self) -> Iterator[Metric]:
        families = {
            name: (CounterMetricFamily if metric.only_rises else GaugeMetricFamily)(
                name, metric.sentence, labels=metric.labels
            )
            for name, metric in METRICS.items()
        }
        for sample in self._reading.samples:
            families[sample.metric].add_metric(sample.labels, sample.value)
        yield from families.values()


def text(reading: Reading) -> bytes:
    """The reading in the text format 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(reading))  # pyright: ignore[reportArgumentType]  (only `collect` is asked for)
    return generate_latest(registry)


def rules() -> str:
    """The YAML of deploy/prometheus/alerts.yml."""
    groups = [{"name": "custom-events", "rules": [*(_rule(watch) for watch in WATCHES), _silence()]}]
    return _HEADER + yaml.safe_dump({"groups": groups}, sort_keys=False, allow_unicode=True, width=150)


def expression(watch: Watch) -> str:
    """The alarm as PromQL."""
    narrowed = [f'{name}="{value}"' for name, value in watch.only] + [f'{name}!="{value}"' for name, value in watch.but]
    inside = ",".join(narrowed)
    return f"{watch.metric}{f'{{{inside}}}' if inside else ''} {'<' if watch.below else '>'} {watch.limit:g}"


def _rule(watch: Watch) -> dict[str, Any]:
    names = {name: f"{{{{ $labels.{name} }}}}" for name in METRICS[watch.metric].labels}
    return {
        "alert": watch.name,
        "expr": expression(watch),
        "for": f"{watch.for_s}s",
        "labels": {"severity": watch.severity.value},
        "annotations": {
            "summary": watch.sentence.format(value="{{ $value | humanize }}", **names),
            "description": watch.remedy,
            "runbook": f"docs/{runbook(watch.name)}",
        },
    }


def _silence() -> dict[str, Any]:
    """Without figures no other rule can speak."""
    return {
        "alert": SILENCE,
        "expr": "absent(custom_events_pipeline_backlog_rows)",
        "for": "300s",
        "labels": {"severity": "critical"},
        "annotations": {
            "summary": "The console serves no figures",
            "description": "Look whether the console runs, and whether Prometheus reaches its /metrics",
            "runbook": f"docs/{runbook(SILENCE)}",
        },
    }
