"""What `ingest_api.protocol` relies on inside uvicorn. When one of these fails, uvicorn has changed: read its
`httptools_impl.py` beside `DeliveryProtocol` and `FastPathRequest`, and then renew what is noted here."""

import ast
import hashlib
import inspect
import textwrap
from typing import Any

import httptools
import pytest
from uvicorn.protocols.http import flow_control, httptools_impl

from ingest_api.protocol import DeliveryProtocol, FastPathRequest

PROTOCOL = httptools_impl.HttpToolsProtocol
READ = {
    PROTOCOL: "18fdf324b11bf160",
    httptools_impl.RequestResponseCycle: "e67d470d435dcc1c",
    flow_control.FlowControl: "126debcdaa894c83",
}
# While a delivery is a `FastPathRequest`, its body has been read: uvicorn's `on_body` and `on_message_complete` see only cycles of its own.
ONLY_OF_ITS_OWN = {"body", "more_body", "run_asgi"}


def test_the_code_that_was_read_is_the_code_that_runs() -> None:
    for read, digest in READ.items():
        source = inspect.getsource(read).encode()
        assert hashlib.sha256(source).hexdigest()[:16] == digest, f"uvicorn has changed {read.__qualname__}"


def test_a_taken_delivery_has_what_uvicorn_uses_of_a_cycle() -> None:
    tree = ast.parse(textwrap.dedent(inspect.getsource(PROTOCOL)))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in {"self.cycle", "cycle", "existing_cycle"}
    }
    assert used - ONLY_OF_ITS_OWN == {"disconnected", "keep_alive", "message_event", "response_complete"}
    assert all(hasattr(FastPathRequest, name) for name in used - ONLY_OF_ITS_OWN)


def test_what_is_overridden_is_called_alike() -> None:
    for name, ours in vars(DeliveryProtocol).items():
        theirs = getattr(PROTOCOL, name, None)
        if theirs is not None and inspect.isfunction(ours) and name != "__init__":
            assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters), name
    assert list(inspect.signature(DeliveryProtocol).parameters) == list(inspect.signature(PROTOCOL).parameters)


@pytest.mark.parametrize("line", [b"X: a\r\n b", b"X: a\nY: b", b"X: a\rb", b"X: a\0b", b"X\xff: a", b"X : a"])
def test_no_line_of_a_head_holds_another(line: bytes) -> None:
    class Seen:
        def on_header(self, name: bytes, value: bytes) -> None:
            raise AssertionError((name, value))

    given_to: Any = httptools.HttpRequestParser(Seen())
    given_to.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
    with pytest.raises(httptools.HttpParserError) as refused:
        given_to.feed_data(b"POST /webhooks/ HTTP/1.1\r\n" + line + b"\r\n\r\n")
    assert not isinstance(refused.value, httptools.HttpParserCallbackError)
