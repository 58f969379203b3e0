"""Timing of signature checks: each secret is tried to its end, whichever of them fits; and texts that prove something are never compared by ==.

Counted, not timed: a clock says something else on each machine.
"""

import ast
import hmac
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from custom_events.platforms.base import Secret
from custom_events.platforms.registry import PLATFORMS
from custom_events.values.platforms import Platform
from fuzzing.signatures import NOW, SIGNERS, WINDOW_S

ROOT = Path(__file__).parents[2]
BODY = b'{"id":1}'
VALUES = (b"the first", b"the second", b"the third")
SECRETS = [Secret(value=value) for value in VALUES]
FOLDERS = ("custom_events", "ingest_api", "console", "orchestration")
# Files that compare what is called so and proves nothing, and what it is.
NO_PROOFS = {
    "custom_events/access/idempotency.py": "the digest of a request that its caller sends again",
    "custom_events/explain/trace_lines.py": "a word that says how a delivery was signed",
    "custom_events/queries/sessions.py": "a column in SQL: the database compares",
    "console/pages/static_files.py": "the digest of a file that everybody is served",
}
PROOFS = ("signature", "digest", "token", "hmac", "secret", "password", "nonce")

_LIKELY = re.compile(rf"(?:{'|'.join(PROOFS)})\w*\W{{0,3}} [!=]= |[!=]= .*(?:{'|'.join(PROOFS)})")


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every digest that is made and every comparison, in their order."""
    done: list[str] = []

    def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            done.append(name)
            return real(*arguments)

        return call

    for name in ("compare_digest", "digest"):
        monkeypatch.setattr(hmac, name, counted(name, getattr(hmac, name)))
    return done


@pytest.mark.parametrize("platform", Platform)
def test_the_same_work_whichever_secret_fits(platform: Platform, work: list[str]) -> None:
    signed = [SIGNERS[platform]({}, BODY, value, NOW) for value in (*VALUES, b"of nobody")]
    counts = []
    for headers in signed:
        work.clear()
        PLATFORMS[platform].check(headers, BODY, SECRETS, NOW, WINDOW_S)
        counts.append(sorted(work))
    assert counts[0].count("compare_digest") == len(SECRETS)
    assert all(count == counts[0] for count in counts)


def test_nothing_that_proves_something_is_compared_by_equality() -> None:
    """By name: a comparison of two texts of which one is called a signature, a digest, a token and so on."""
    findings = {
        str(path.relative_to(ROOT)): ast.unparse(node)
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        for text in (path.read_text(encoding="utf-8"),)
        if _LIKELY.search(text)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Compare) and _compares_a_proof(node)
    }
    assert findings.keys() == NO_PROOFS.keys(), findings


def _compares_a_proof(node: ast.Compare) -> bool:
    sides = [node.left, *node.comparators]
    if not all(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops):
        return False
    if any(isinstance(side, ast.Constant) for side in sides):
        return False
    names = [_name(side) for side in sides]
    return any(name.endswith(proof) for name in names for proof in PROOFS)


def _name(side: ast.expr) -> str:
    if isinstance(side, ast.Name):
        return side.id.lower()
    return side.attr.lower() if isinstance(side, ast.Attribute) else ""
