"""Conditions of a list from what was asked for: those that an index finds, and those that rows are looked at for."""

from typing import Any

from custom_events.errors import InvalidConfiguration


class Conditions:
    """Conditions on columns of `t`, with their values."""

    def __init__(self) -> None:
        self.lead: list[str] = []
        self.rest: list[str] = []
        self.values: dict[str, Any] = {}

    def by_index(self, column: str, value: Any) -> None:
        """An index has the column; None: not asked for."""
        self._add(self.lead, column, value)

    def by_row(self, column: str, value: Any) -> None:
        """Rows are looked at."""
        self._add(self.rest, column, value)

    def _add(self, conditions: list[str], column: str, value: Any) -> None:
        if value is not None:
            conditions.append(f"t.{column} = :of_{column}")
            self.values[f"of_{column}"] = value


def needs_site(site_id: int | None, **asked: str | None) -> None:
    """Orders and customers have their numbers from their site. Raises InvalidConfiguration."""
    for name, value in asked.items():
        if value is not None and site_id is None:
            raise InvalidConfiguration(
                f"{value!r} is of one site: name that too (site_id), or search for it", path=name
            )


def one_of(name: str, value: str | None, words: tuple[str, ...]) -> None:
    """Raises InvalidConfiguration for a word that is none of these."""
    if value is not None and value not in words:
        raise InvalidConfiguration(f"{value!r} is none of {', '.join(words)}", path=name)
