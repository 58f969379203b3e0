import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

ORDER = {
    "type": "order.paid",
    "occurred_at": "2026-11-20T10:00:00Z",
    "order": {"id": "A-1", "created_at": "2026-11-20T10:00:00Z", "currency": "EUR", "total": "12.50"},
}


@pytest.fixture
def order(tmp_path: Path) -> Path:
    file = tmp_path / "order.json"
    file.write_text(json.dumps(ORDER))
    return file


def test_each_file_gives_one_line_in_its_order(run: Run, tmp_path: Path, order: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_bytes(b'{"type": \xff')
    result = run("understand", "--platform", "custom", "--topic", "order.paid", str(order), str(broken), str(order))
    assert result.exit_code == 0
    first, parked, third = (json.loads(line) for line in result.output.splitlines())
    assert [event["type"] for event in first["events"]] == ["order.created", "order.paid"]
    assert first["events"][0]["order"]["total"] == "12.50"
    assert "parked" in parked
    assert third == first


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--platform", "custom", "--topic", "x", "missing.json"), "'missing.json' does not exist"),
        (("--platform", "magento", "--topic", "x", "order.json"), "shopify"),
        (("--platform", "custom", "order.json"), "--topic"),
        (("--platform", "custom", "--topic", "x"), "FILE"),
        (("--platform", "custom", "--topic", "x", "."), "is a directory"),
    ],
)
def test_a_wrong_usage_says_what_is_missing(run: Run, order: Path, arguments: tuple[str, ...], words: str) -> None:
    del order
    result = run("understand", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_file_that_cannot_be_read_is_named(run: Run, order: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(_: Path) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", unreadable)
    result = run("understand", "--platform", "custom", "--topic", "x", str(order))
    assert result.exit_code == 2
    assert "order.json cannot be read: Input/output error" in result.stderr
