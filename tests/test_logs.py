import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from custom_events import logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Leave logging as it was found."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_process_level_and_time(stream: io.StringIO) -> None:
    logs.configure("receiver", stream=stream)
    structlog.get_logger().info("landed", count=3, site_id=7)
    (line,) = _lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "landed", "count": 3, "site_id": 7, "level": "info", "process": "receiver"}


def test_libraries_come_out_in_the_same_form(stream: io.StringIO) -> None:
    logs.configure("console", stream=stream)
    logging.getLogger("some.library").warning("took %s s", 3, extra={"email": "a@example.org"})
    logging.getLogger("alembic.runtime").info("every look")
    (line,) = _lines(stream)
    assert (line["event"], line["logger"], line["process"]) == ("took 3 s", "some.library", "console")
    assert "a@example.org" not in stream.getvalue()


def test_googles_client_never_writes_its_requests(stream: io.StringIO) -> None:
    logs.configure("drain", level="DEBUG", stream=stream)
    logging.getLogger("google.ads.googleads.client").warning("Request: gclid ...")
    assert stream.getvalue() == ""


def test_levels_below_the_one_set_are_silent(stream: io.StringIO) -> None:
    logs.configure("drain", level="warning", stream=stream)
    structlog.get_logger().info("quiet")
    logging.getLogger("library").info("quiet")
    structlog.get_logger().error("loud")
    assert [line["event"] for line in _lines(stream)] == ["loud"]


def test_an_unknown_level_names_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"'LOUD' is not known; one of .*WARNING"):
        logs.configure("cli", level="LOUD")


def test_for_people_there_are_plain_lines_and_errors_with_their_traceback(stream: io.StringIO) -> None:
    logs.configure("cli", json_lines=False, stream=stream)
    try:
        {}.pop("lost")
    except KeyError:
        structlog.get_logger().exception("broke")
    assert "broke" in stream.getvalue()
    assert "KeyError" in stream.getvalue()


def test_without_a_stream_it_is_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("cli")
    structlog.get_logger().info("hello")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "hello" in captured.err


@pytest.mark.parametrize(
    "name",
    [
        *("email", "billing_email", "customerEmail", "phone", "body", "raw_body", "headers", "authorization"),
        *("X-Shopify-Hmac-Signature", "secret", "site_secret", "client_secret", "access_token", "password", "dsn"),
        *("gclid", "gbraid", "wbraid", "click_id", "database_url", "email_sha256", "customer_key", "first_name", "ip"),
    ],
)
def test_fields_that_may_hold_private_things_are_dropped_and_named(name: str, stream: io.StringIO) -> None:
    logs.configure("receiver", stream=stream)
    structlog.get_logger().info("x", **{name: "hush-hush"}, order_id="17")
    assert "hush-hush" not in stream.getvalue()
    (line,) = _lines(stream)
    assert line["removed"] == [name]
    assert line["order_id"] == "17"


@pytest.mark.parametrize("name", ["body_bytes", "secret_count", "site_key", "key_id", "delivery_id", "topic", "zipped"])
def test_sizes_counts_and_names_stay(name: str) -> None:
    assert not logs.is_private(name)


def test_private_fields_are_dropped_at_any_depth(stream: io.StringIO) -> None:
    logs.configure("drain", stream=stream)
    nested = {"order": {"id": 1, "customer": [{"email": "a@example.org", "n": 1}, "text", {2: {"phone": "1"}}]}}
    structlog.get_logger().info("x", **nested)
    (line,) = _lines(stream)
    assert line["order"] == {"id": 1, "customer": [{"n": 1}, "text", {"2": {}}]}
    assert line["removed"] == ["email", "phone"]
