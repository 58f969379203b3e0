"""Whom our programs call: each module that can open a connection is known, with who chooses the address and the test that holds its check."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.tree import ROOT

FOLDERS = ("custom_events", "ingest_api", "console", "assets", "orchestration", "supervisor")
# What opens connections to others; PostgreSQL's drivers apart, which all of the domain has.
CLIENTS = {
    *("httpx", "requests", "urllib.request", "http.client", "urllib3", "smtplib", "aiohttp", "s3fs", "ftplib"),
    *("grpc", "authlib.integrations.requests_client", "google.ads.googleads.client", "google.ads.datamanager_v1"),
}
THREATS = (ROOT / "docs" / "security" / "threat-model.md").read_text(encoding="utf-8")
# Module: the row of the threat model's table, and where the check of its address is tested.
KNOWN = {
    "custom_events/access/openid_provider.py": ("an OpenID provider", "tests/console/api/test_openid.py"),
    "custom_events/archive/storage.py": ("folders, storage", "tests/archive"),
    "custom_events/destinations/google_ads/client.py": ("Google Ads API", "tests/test_settings.py"),
    "custom_events/destinations/google_data_manager/client.py": ("Data Manager API", "tests/test_settings.py"),
    "custom_events/destinations/transport_errors.py": (
        "Google Ads API",
        "tests/test_settings.py",
    ),  # reads errors alone
    "custom_events/platforms/shopify/admin_api.py": (
        "Shopify's Admin API",
        "tests/platforms/test_shopify_admin_api.py",
    ),
    "custom_events/platforms/store_client.py": ("the stores' own APIs", "tests/recovery/test_reading.py"),
    "custom_events/report_delivery/mail.py": ("mail server", "tests/report_delivery/test_mail.py"),
    "custom_events/report_delivery/mail_server.py": ("mail server", "tests/report_delivery/test_mail.py"),
    "custom_events/report_delivery/pinned.py": ("folders, storage", "tests/report_delivery/test_s3.py"),
    "custom_events/report_delivery/s3.py": ("folders, storage", "tests/report_delivery/test_s3.py"),
    "custom_events/report_delivery/webhook.py": ("webhooks of reports", "tests/report_delivery/test_webhook.py"),
    "custom_events/shopify_app/token_endpoint.py": ("Shopify's Admin API", "tests/shopify_app"),
    "custom_events/watching/channels.py": ("Slack, Teams", "tests/watching/test_channels.py"),
    "supervisor/processes.py": ("", "tests/supervisor"),  # looks whether our own programs answer, on this machine
}


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_whoever_can_call_is_known() -> None:
    likely = re.compile("|".join(sorted({client.partition(".")[0] for client in CLIENTS})))
    calling = {
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if likely.search(path.read_text(encoding="utf-8"))
        if any(name in CLIENTS or name.partition(".")[0] in CLIENTS for name in _imported(path))
    }
    assert calling == KNOWN.keys()


@pytest.mark.parametrize("module", KNOWN)
def test_the_threat_model_names_it_and_a_test_holds_it(module: str) -> None:
    row, test = KNOWN[module]
    assert row in THREATS
    assert (ROOT / test).exists(), test
