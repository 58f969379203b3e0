"""docs/proof/soak.md and its picture, from what a soak has measured: `python -m benchmarks.soak_page` writes them anew."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

PAGE: Final = Path("docs/proof/soak.md")


def write(page: Path, result: Mapping[str, Any]) -> None:
    """Not yet."""
