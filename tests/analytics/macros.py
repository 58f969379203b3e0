"""dbt's macros without dbt: rendered for one engine, as an expression that it evaluates."""

from pathlib import Path
from typing import Any, Final

import jinja2

MACROS: Final = Path(__file__).parents[2] / "dbt" / "macros"
_FILES: Final = ("portable/numbers.sql", "portable/times.sql", "portable/texts.sql", "local_day.sql")


class Macros:
    """The portable macros as one engine has them: `Macros("duckdb").divide("1", "3", 2)` is SQL."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        environment = jinja2.Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)
        text = "\n".join((MACROS / name).read_text() for name in _FILES)
        self._module = environment.from_string(text).make_module({"adapter": self, "return": lambda value: value})

    def dispatch(self, name: str, _project: str) -> Any:
        """As dbt does it: the engine's own, else the one for all others."""
        return getattr(self._module, f"{self._engine}__{name}", None) or getattr(self._module, f"default__{name}")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)
