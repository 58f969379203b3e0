"""Where an endpoint is set, requests are traced, without what may be personal; elsewhere nothing of it is even imported."""

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from console.api.app import create_app
from console.api.request_metrics import RequestMetrics
from custom_events.settings import Settings
from tests.console.api.asking import asking
from tests.console.api.world import World

ROOT = Path(__file__).parents[3]
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Collector:
    """An endpoint of OTLP over HTTP: `requests` are what came, exact bytes in `raw`."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces"
                collector.raw.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Silent."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}/v1/traces"


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    thread = Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def test_a_request_is_a_span_of_its_callers_trace_and_holds_nothing_personal(
    database: str, settings: Settings, world: World, collector: Collector
) -> None:
    app = create_app(database, settings.model_copy(update={"traces_endpoint": collector.endpoint}))
    with asking(app) as client:
        path = f"/api/v1/sites/{world.mine.id}"
        told = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-Id": "request-1", "User-Agent": "Ana's browser"}
        assert client.get(path, headers={**world.headers("viewer"), **told}).status_code == 200
        client.get("/api/v1/search?text=ana@example.org", headers=told)
        client.get("/healthz")
    spans = [
        span
        for raw in collector.raw
        for part in ExportTraceServiceRequest.FromString(raw).resource_spans
        for scope in part.scope_spans
        for span in scope.spans
    ]
    assert [span.name for span in spans] == ["GET /api/v1/sites/{site_id}", "GET /api/v1/search"]
    first = spans[0]
    assert (first.trace_id.hex(), first.parent_span_id.hex()) == (TRACE, PARENT)
    attributes = {one.key: one.value.string_value or one.value.int_value for one in first.attributes}
    assert attributes["http.route"] == "/api/v1/sites/{site_id}"
    assert attributes["http.response.status_code"] == 200
    assert attributes["custom_events.request_id"] == "request-1"
    for word in (b"ana@example.org", b"Ana's browser", b"127.0.0.1"):
        assert word not in b"".join(collector.raw)


@pytest.mark.usefixtures("untraced_processes")
def test_without_an_endpoint_nothing_of_it_is_imported() -> None:
    script = (
        "import sys; from console.api.app import create_app; create_app('postgresql://127.0.0.1:1/x');"
        "unused = ('opentelemetry.sdk', 'opentelemetry.exporter', 'authlib', 'requests', 'pandas', 'pyarrow', 'xlsxwriter', 'matplotlib', 'fpdf', 's3fs');"
        "print([name for name in unused if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_each_route_is_counted_and_timed(database: str, settings: Settings, world: World) -> None:
    with asking(create_app(database, settings)) as client:
        for site in (world.mine.id, world.theirs.id, 999_999):
            client.get(f"/api/v1/sites/{site}", headers=world.headers("viewer"))
        client.get("/no/such/page")
        client.request("BREW", "/api/v1/sites")
        text = client.get("/metrics", headers=world.headers("viewer")).text
    found = {
        (one.name, frozenset(one.labels.values())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }

    def figure(name: str, *labels: str) -> float | None:
        return found.get((f"custom_events_console_{name}", frozenset(labels)))

    site = "/api/v1/sites/{site_id}"
    assert figure("requests_total", "GET", site, "200") == 2
    assert figure("requests_total", "GET", site, "404") == 1
    assert figure("requests_total", "GET", "other", "404") == 1
    assert figure("requests_total", "other", "/api/v1/sites", "405") == 1
    assert figure("request_seconds_count", "GET", site) == 3
    assert figure("request_seconds_bucket", "GET", site, "+Inf") == 3


def test_what_clients_call_methods_makes_no_figures_of_its_own() -> None:
    metrics = RequestMetrics()
    for number in range(50):
        metrics.observe(f"METHOD{number}", None, 405, 0.1)
    assert metrics.text().decode().count("custom_events_console_requests_total{") == 1
