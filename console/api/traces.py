"""Traces of requests for OpenTelemetry, where an endpoint is set. Imported only then: without it they cost nothing.

FastAPI makes a span of each request and follows the trace of whoever asks (W3C traceparent). It also notes paths, queries and hosts, which
may hold personal data: what leaves this process are the attributes listed here, and nothing else.
"""

from collections.abc import MutableMapping, Sequence
from importlib.metadata import version
from typing import Any, Final

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Status

from custom_events.settings import Settings

REQUEST_ID: Final = "custom_events.request_id"
KEPT: Final = frozenset(
    {
        *("http.request.method", "http.route", "http.response.status_code", "url.scheme"),
        *("network.protocol.version", "error.type", REQUEST_ID),
    }
)
NOT_TRACED: Final = ("/healthz", "/readyz", "/static/")
EXPORT_LIMIT_S: Final = 5.0  # for a collector to take what there is; then it is lost


class WithoutPersonalData(SpanExporter):
    """Hands spans on with the attributes of `KEPT` alone, and without events, which hold what errors say."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Hand them on."""
        return self._exporter.export([_without_personal_data(span) for span in spans])

    def shutdown(self) -> None:
        """Hand on nothing more."""
        self._exporter.shutdown()


def provider_of(settings: Settings) -> TracerProvider:
    """What makes spans and sends them in batches; its `shutdown` sends the last ones."""
    made = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(settings.traces_share)),
        resource=Resource({"service.name": "custom-events-console", "service.version": version("custom-events")}),
        shutdown_on_exit=False,
    )
    exporter = OTLPSpanExporter(endpoint=settings.traces_endpoint, timeout=EXPORT_LIMIT_S)
    made.add_span_processor(BatchSpanProcessor(WithoutPersonalData(exporter)))
    return made


def telemetry(provider: TracerProvider) -> TelemetryConfig:
    """What FastAPI does: spans of requests, and neither its logs, which hold what errors say, nor figures, which /metrics has."""
    return {
        "tracing": True,
        "tracer_provider": provider,
        "operation_spans": False,
        "metrics": False,
        "logs": False,
        "auto_configure": False,
        "exclude": _is_not_traced,
    }


def _is_not_traced(scope: MutableMapping[str, Any]) -> bool:
    return scope["path"].startswith(NOT_TRACED)


def note_request_id(request_id: str) -> None:
    """Have the request's span name it, as logs and the audit trail do."""
    trace.get_current_span().set_attribute(REQUEST_ID, request_id)


def _without_personal_data(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes={name: value for name, value in (span.attributes or {}).items() if name in KEPT},
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
