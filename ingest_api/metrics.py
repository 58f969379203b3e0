"""The receiver's figures for Prometheus. Counted once for each group, not for each request, and summed over processes."""

import os
from collections import Counter as Tally
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from custom_events.values.deliveries import Refusal

MULTIPROCESS_DIRECTORY = (
    "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's own variable; set by `serve` for several workers
)
_COMMIT_SECONDS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1, 2, 4, 8)
_GROUP_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_PREFIX = "custom_events_receiver"


class Living:
    """The figures of this process's application, whichever is made; for a port of their own in another thread."""

    def __init__(self) -> None:
        self.registry: CollectorRegistry | None = None

    def collect(self) -> Iterable[Metric]:
        """What Prometheus' client asks."""
        return () if self.registry is None else self.registry.collect()


LIVING = Living()


def scraped() -> CollectorRegistry:
    """What a scrape is answered from: all workers together where there are several."""
    registry = CollectorRegistry()
    if MULTIPROCESS_DIRECTORY in os.environ:
        MultiProcessCollector(registry)
    else:
        registry.register(LIVING)  # pyright: ignore[reportArgumentType]
    return registry


class Metrics:
    """One registry per application, so that tests can make many."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.received = self._counter("received", "Deliveries answered, handshakes aside.", "platform")
        self.landed = self._counter("landed", "Deliveries committed as new raw events.", "platform")
        self.duplicate = self._counter("duplicate", "Deliveries that had landed before.", "platform")
        self.refused = self._counter("refused", "Deliveries refused.", "platform", "reason")
        self.closed = self._counter(
            "connections_closed", "Connections closed before their request had a whole head of fair size.", "reason"
        )
        self.body_bytes = self._counter("body_bytes", "Bytes of landed bodies before compression.", "platform")
        self.queue_depth = Gauge(
            f"{_PREFIX}_queue_depth",
            "Deliveries waiting for the writer.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self.commit_seconds = Histogram(
            f"{_PREFIX}_commit_seconds", "Time of one commit.", buckets=_COMMIT_SECONDS, registry=self.registry
        )
        self.group_size = Histogram(
            f"{_PREFIX}_group_size", "Deliveries in one commit.", buckets=_GROUP_SIZES, registry=self.registry
        )

    def _counter(self, name: str, sentence: str, *labels: str) -> Counter:
        return Counter(f"{_PREFIX}_{name}", sentence, labels, registry=self.registry)

    def count_landed(self, sizes: Iterable[tuple[str, int]], duplicates: Iterable[str]) -> None:
        """One committed group: (platform, body bytes) of the new ones, platforms of the duplicates."""
        landed, total_bytes = Tally[str](), Tally[str]()
        for platform, size in sizes:
            landed[platform] += 1
            total_bytes[platform] += size
        for platform, count in landed.items():
            self.received.labels(platform).inc(count)
            self.landed.labels(platform).inc(count)
            self.body_bytes.labels(platform).inc(total_bytes[platform])
        for platform, count in Tally(duplicates).items():
            self.received.labels(platform).inc(count)
            self.duplicate.labels(platform).inc(count)

    def count_refused(self, platform: str, reason: Refusal, count: int = 1) -> None:
        """Deliveries refused for one reason."""
        self.received.labels(platform).inc(count)
        self.refused.labels(platform, reason.value).inc(count)
