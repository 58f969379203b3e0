"""How often each route was asked, with what outcome, and how long that took: this process's own figures for Prometheus."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER: Final = "other"  # whatever else a client may call a method or a path: figures of their own would be without end
# Seconds. Reading takes milliseconds, the slowest pages seconds; at 30 s the statement's limit ends them.
BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class RequestMetrics:
    """Counts and times by method and route, counts also by status; the route as the document has it, without values."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._requests = Counter(
            "custom_events_console_requests",
            "Requests to the console since it started.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "custom_events_console_request_seconds",
            "Seconds from a request's head to its answer's end.",
            ("method", "route"),
            buckets=BUCKETS_S,
            registry=self._registry,
        )

    def observe(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """One request more. `route` None: there is no such path."""
        names = (method if method in METHODS else OTHER, route or OTHER)
        self._requests.labels(*names, str(status)).inc()
        self._seconds.labels(*names).observe(seconds)

    def text(self) -> bytes:
        """The text format 0.0.4."""
        return generate_latest(self._registry)
