"""What a condition may ask, as data for editors: every field with the operators that its type takes, and what each is given."""

from functools import cache
from typing import Final

import msgspec

from custom_events.conditions.field_lookup import fields_by_name, open_paths
from custom_events.conditions.fields import FieldType
from custom_events.conditions.operators import MEANINGS, WORDS, Wants, find_operator, operators_of
from custom_events.conditions.schema import OPEN_SAMPLES
from custom_events.conditions.tree import MeasureWord
from custom_events.conditions.validate import MAX_DEPTH, MEASURE_OPERATORS, MEASURE_TYPES

OPEN_NAME: Final = "NAME"  # stands for what the sender chooses, in the name of an open path


class LanguageOperator(msgspec.Struct, frozen=True, kw_only=True):
    """An operator as one type of field takes it. `wants`: the kinds of value that it may be given; of several, the value decides how an
    open value is read. `hint` says them in words; `takes_case`: upper and lower case may be ignored."""

    op: str
    words: str
    meaning: str
    wants: tuple[str, ...]
    hint: str
    takes_case: bool


class LanguageField(msgspec.Struct, frozen=True, kw_only=True):
    """A field. `words`: the closed set of values, where there is one; `platforms`: who delivers it; `is_open`: the end of its name,
    NAME, is what the sender chooses."""

    name: str
    type: str
    scope: str
    meaning: str
    example: str
    words: tuple[str, ...]
    platforms: tuple[str, ...]
    is_open: bool = False


class LanguageMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """What may be measured over line items, and whether it is compared as whole numbers or as money."""

    word: str
    type: str


class Language(msgspec.Struct, frozen=True, kw_only=True):
    """Everything. `operators` by type of field, `measure_operators` those that measures take; `most_levels`: how deep a tree may be."""

    fields: tuple[LanguageField, ...]
    operators: dict[str, tuple[LanguageOperator, ...]]
    measures: tuple[LanguageMeasure, ...]
    measure_operators: tuple[str, ...]
    most_levels: int


@cache
def language() -> Language:
    """The language of this version: it changes with the product only."""
    return Language(
        fields=(*_fields(), *_open_fields()),
        operators={kind.value: tuple(_operator(kind, op) for op in operators_of(kind)) for kind in FieldType},
        measures=tuple(LanguageMeasure(word=word.value, type=MEASURE_TYPES[word].value) for word in MeasureWord),
        measure_operators=MEASURE_OPERATORS,
        most_levels=MAX_DEPTH,
    )


def _fields() -> tuple[LanguageField, ...]:
    return tuple(
        LanguageField(
            name=field.name,
            type=field.type.value,
            scope=field.scope.value,
            meaning=field.meaning,
            example=field.example,
            words=field.words,
            platforms=tuple(platform.value for platform in field.platforms),
        )
        for field in fields_by_name().values()
    )


def _open_fields() -> tuple[LanguageField, ...]:
    return tuple(
        LanguageField(
            name=f"{path.prefix}.{OPEN_NAME}",
            type=FieldType.OPEN.value,
            scope=path.scope.value,
            meaning=path.meaning,
            example=path.example,
            words=(),
            platforms=tuple(platform.value for platform in path.platforms),
            is_open=True,
        )
        for path in open_paths().values()
    )


def _operator(kind: FieldType, op: str) -> LanguageOperator:
    samples = OPEN_SAMPLES.get(op, ("a",)) if kind is FieldType.OPEN else (None,)
    read = [operator for sample in samples if (operator := find_operator(kind, op, sample)) is not None]
    wants = tuple(dict.fromkeys(operator.wants for operator in read))
    return LanguageOperator(
        op=op,
        words=WORDS[op],
        meaning=MEANINGS[op],
        wants=tuple(want.name.lower() for want in wants),
        hint="; or ".join(want.value for want in wants if want is not Wants.NOTHING),
        takes_case=any(operator.takes_case for operator in read),
    )
