"""The part of the Google Ads Query Language that a conversion uploader needs, parsed into a `Query`.

SELECT fields FROM resource [WHERE condition AND ...] [ORDER BY field [ASC|DESC], ...] [LIMIT n] [PARAMETERS ...]
Conditions: = != > >= < <= IN (...) NOT IN (...).
"""

import re
from dataclasses import dataclass

from sandbox.google_ads.error_names import Query as QueryError
from sandbox.google_ads.failures import Fail, Refused, Status

_TOKEN = re.compile(r"\s*(?:('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(!=|>=|<=|[=<>(),])|([\w.\-]+))")
_COMPARISONS = ("=", "!=", ">=", "<=", ">", "<")


@dataclass(frozen=True)
class Condition:
    """`operator` is a comparison, IN or NOT IN; `values` are texts without quotes."""

    field: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Query:
    """A parsed query."""

    select: tuple[str, ...]
    resource: str
    where: tuple[Condition, ...] = ()
    order_by: tuple[tuple[str, bool], ...] = ()  # field, descending
    limit: int | None = None


def parse(text: str) -> Query:
    """Parse a query. Raises `Refused` (INVALID_ARGUMENT, QueryError) that says what was not understood."""
    return _Parser(text).query()


def bad_query(name: QueryError, trigger: str | None = None) -> Refused:
    """A refusal for a query that cannot be answered."""
    return Refused(Status.INVALID_ARGUMENT, [Fail(name, (("query", None),), trigger)])


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        position, end = 0, len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
            if match is None:
                raise bad_query(QueryError.UNEXPECTED_INPUT, text[position:].strip()[:1])
            self._tokens.append(match[0].strip())
            position = match.end()
        self._at = 0

    def query(self) -> Query:
        if not self._take("SELECT"):
            raise bad_query(QueryError.EXPECTED_SELECT, self._peek())
        select = self._names()
        if not self._take("FROM"):
            raise bad_query(QueryError.EXPECTED_FROM, self._peek())
        resource = self._next()
        where: list[Condition] = []
        if self._take("WHERE"):
            where.append(self._condition())
            while self._take("AND"):
                where.append(self._condition())
        order_by = self._order_by() if self._take("ORDER") else []
        limit = self._limit() if self._take("LIMIT") else None
        if self._take("PARAMETERS"):
            self._at = len(self._tokens)
        if self._peek() is not None:
            raise bad_query(QueryError.UNEXPECTED_INPUT, self._peek())
        return Query(tuple(select), resource, tuple(where), tuple(order_by), limit)

    def _condition(self) -> Condition:
        field, operator = self._next(), self._next().upper()
        if operator == "NOT" and self._take("IN"):
            return Condition(field, "NOT IN", self._list())
        if operator == "IN":
            return Condition(field, "IN", self._list())
        if operator not in _COMPARISONS:
            raise bad_query(QueryError.BAD_OPERATOR, operator)
        return Condition(field, operator, (_unquoted(self._next()),))

    def _list(self) -> tuple[str, ...]:
        if self._next() != "(":
            raise bad_query(QueryError.UNEXPECTED_INPUT, self._tokens[self._at - 1])
        if self._take(")"):
            raise bad_query(QueryError.PROHIBITED_EMPTY_LIST_IN_CONDITION)
        values = [_unquoted(value) for value in self._names()]
        if self._next() != ")":
            raise bad_query(QueryError.UNEXPECTED_INPUT, self._tokens[self._at - 1])
        return tuple(values)

    def _order_by(self) -> list[tuple[str, bool]]:
        if not self._take("BY"):
            raise bad_query(QueryError.UNEXPECTED_INPUT, self._peek())
        order: list[tuple[str, bool]] = []
        while True:
            field = self._next()
            descending = self._take("DESC")
            if not descending:
                self._take("ASC")
            order.append((field, descending))
            if not self._take(","):
                return order

    def _limit(self) -> int:
        number = self._next()
        if not number.isdecimal() or int(number) < 1:
            raise bad_query(QueryError.BAD_LIMIT_VALUE, number)
        return int(number)

    def _names(self) -> list[str]:
        names = [self._next()]
        while self._take(","):
            names.append(self._next())
        return names

    def _peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> str:
        token = self._peek()
        if token is None:
            raise bad_query(QueryError.UNEXPECTED_END_OF_QUERY)
        self._at += 1
        return token

    def _take(self, word: str) -> bool:
        token = self._peek()
        if token is None or token.upper() != word:
            return False
        self._at += 1
        return True


def _unquoted(token: str) -> str:
    if token[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", token[1:-1])
    return token
