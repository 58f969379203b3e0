"""YAML as plain values and back, the strict and surprise-free part of it.

Only `true`, `false`, `null` and decimal numbers are anything but text (YAML 1.2's core; `NO` is Norway, 2026-01-31 is text).
A key that stands twice, an alias, a tag and a second document are errors: a file means what one sees. Numbers with a point
are Decimal, so that an amount keeps the digits that were written.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from typing import Any, ClassVar

import msgspec
import yaml

from custom_events.conditions.problems import Problem, join
from custom_events.values.texts import is_unicode

MAX_BYTES = 1 << 20  # of one file; a site with 500 assignments has a fifth of that
MAX_DEPTH = 64  # levels; trees of conditions end at ten
WIDTH = 120  # characters of a line that is written
FLAT_WIDTH = 96  # of a group that stands in one line, without its indentation

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times faster, where the wheel has it
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?\Z")
_MAX_DIGITS = 200  # of a number; beyond it is text, and a text is refused where a number is wanted
_BAD_ESCAPE = "escape code"
_LINE_END = re.compile(r"\r\n|\r|\n")
_NOT_ALLOWED: re.Pattern[str] = yaml.reader.Reader.NON_PRINTABLE  # characters that no YAML file holds
# What was opened and never closed shows at the end of the file; the line to mend is the one where it begins.
_OPENED = {"flow sequence": "the bracket [", "flow mapping": "the brace {", "quoted scalar": "the quotation mark"}


class TextProblem(Problem, frozen=True, kw_only=True):
    """A problem of the text itself, with its line: what it is about may have no path."""

    line: int


class Parsed(msgspec.Struct, frozen=True):
    """The value of a file, and the line (from 1) of each path in it. With `is_broken` there is no value."""

    value: Any
    lines: dict[str, int]
    problems: list[TextProblem]
    is_broken: bool = False

    def line_of(self, path: str) -> int:
        """Where a path stands; of something missing, where what should hold it begins."""
        while path not in self.lines and path:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path, 1)


def parse(content: bytes) -> Parsed:
    """The one document of a file. Never raises: what cannot be read is in `problems`."""
    if len(content) > MAX_BYTES:
        return _unreadable(f"the file has {len(content):,} bytes", f"at most {MAX_BYTES:,}")
    try:
        whole = content.decode().removeprefix("\ufeff")  # some editors begin a file with it
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        line = _Lines(before).at(len(before))
        return _unreadable(f"byte {error.start} is not UTF-8", "save the file as UTF-8", line)
    if (character := _NOT_ALLOWED.search(whole)) is not None:
        wrong = f"the character U+{ord(character.group()):04X} cannot stand in a file"
        return _unreadable(
            wrong, "remove it, or write it as an escape in double quotes", _Lines(whole).at(character.start())
        )
    try:
        return _built(whole, _Loader)
    except _TooDeep as error:
        return _unreadable(f"it is deeper than {MAX_DEPTH} levels", "see the format's reference", error.line)
    except yaml.MarkedYAMLError as error:
        if _BAD_ESCAPE not in str(error.problem):
            return _not_yaml(whole, error)
        return _with_halves(whole, error)
    except yaml.YAMLError as error:
        return _unreadable(f"it is not YAML: {str(error).splitlines()[0]}", "plain text in UTF-8")


def render(value: dict[str, Any]) -> str:
    """Plain values as YAML, one way only: keys in the order given, groups of plain values on one line."""
    root: Any = _Dumper(StringIO()).represent_data(value)
    for _, part in root.value:
        _lay_out(part)
        for entry in part.value if isinstance(part, yaml.SequenceNode) else ():
            if isinstance(entry, yaml.MappingNode):  # a list's entries at the top are told apart by lines
                entry.flow_style = part.flow_style = False
    root.flow_style = False
    return yaml.serialize(root, Dumper=_Dumper, width=WIDTH, allow_unicode=True)


def _unreadable(wrong: str, right: str, line: int = 1) -> Parsed:
    return Parsed(None, {"": line}, [TextProblem(path="", wrong=wrong, right=right, line=line)], is_broken=True)


def _built(whole: str, loader: Any) -> Parsed:
    builder = _Builder(_Lines(whole))
    return Parsed(
        builder.document(yaml.parse(whole, Loader=loader)), builder.lines, builder.problems, builder.has_second_document
    )


def _with_halves(whole: str, error: yaml.MarkedYAMLError) -> Parsed:
    """A file with escapes that libyaml refuses: JSON writes a character in two halves, and half of one has a path to be named by."""
    try:
        return _built(whole, yaml.SafeLoader)
    except (_TooDeep, yaml.YAMLError, ValueError, OverflowError):
        return _not_yaml(whole, error)


def _not_yaml(whole: str, error: yaml.MarkedYAMLError) -> Parsed:
    lines = _Lines(whole)
    context, begins = error.context or "", error.context_mark
    wrong = f"it is not YAML: {error.problem}"
    if begins is not None:
        for name, mark in _OPENED.items():
            if name in context and _BAD_ESCAPE not in str(error.problem):
                return _unreadable(wrong, f"close {mark} that begins here", lines.at(begins.index))
        if "simple key" in context:
            return _unreadable(wrong, "a name, a colon and a blank", lines.at(begins.index))
    line = lines.at(error.problem_mark.index) if error.problem_mark is not None else 1
    return _unreadable(wrong, "mend the line, or the one before it", line)


class _Lines:
    """Lines as editors count them: libyaml's own begin after U+2028 and U+0085, too."""

    def __init__(self, whole: str) -> None:
        self._ends = [end.end() for end in _LINE_END.finditer(whole)]

    def at(self, index: int) -> int:
        """The line (from 1) of a character."""
        return bisect_right(self._ends, index) + 1


class _TooDeep(Exception):
    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


class _Builder:
    """Values from the parser's events; the parser has no recursion, and this has a bounded one."""

    def __init__(self, lines: _Lines) -> None:
        self._lines = lines
        self.lines: dict[str, int] = {}
        self.problems: list[TextProblem] = []
        self.has_second_document = False

    def document(self, events: Iterator[Any]) -> Any:
        value: Any = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.has_second_document = True
                    self._wrong("", event, "a second document begins here", "one document in each file")
                    return value
            elif isinstance(event, yaml.NodeEvent):
                value = self._node(event, events, "", 1)
        return value

    def _wrong(self, path: str, event: Any, wrong: str, right: str) -> None:
        line = self._line(event)
        self.problems.append(TextProblem(path=path, wrong=wrong, right=right, line=line))

    def _stands(self, path: str, event: Any) -> None:
        self.lines.setdefault(path, self._line(event))

    def _line(self, event: Any) -> int:
        return self._lines.at(event.start_mark.index)

    def _node(self, event: Any, events: Iterator[Any], path: str, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise _TooDeep(self._line(event))
        self._stands(path, event)
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self._wrong(path, event, "anchors and aliases are not used here", "write it out")
        if isinstance(event, yaml.AliasEvent):
            return None
        if event.tag is not None:
            self._wrong(path, event, f"tags such as {event.tag[:60]} are not used here", "remove it")
        if isinstance(event, yaml.ScalarEvent):
            return _plain(event.value) if event.implicit[0] else _joined(event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(events, path, depth)
        return self._mapping(events, path, depth)

    def _list(self, events: Iterator[Any], path: str, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self._node(event, events, f"{path}[{len(items)}]", depth + 1))
        return items

    def _mapping(self, events: Iterator[Any], path: str, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent) or not event.value:
                wrong = "a key is empty" if isinstance(event, yaml.ScalarEvent) else "a key is a list or an object"
                self._wrong(path, event, wrong, "a name, and a colon")
                self._node(event, events, f"{path}.?", depth + 1)
                self._node(next(events), events, f"{path}.?", depth + 1)
                continue
            name = _joined(event.value)
            here = join(path, name)
            if name in values:
                first = self.lines.pop(here)
                self._wrong(here, event, f"it stands here twice, first in line {first}", "once")
            self._stands(here, event)
            values[name] = self._node(next(events), events, here, depth + 1)
        return values


def _joined(text: str) -> str:
    """Halves of characters that stand side by side as the character."""
    return text if is_unicode(text) else text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _plain(text: str) -> Any:
    """What an unquoted scalar means."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= _MAX_DIGITS:
        if _WHOLE.match(text):
            return int(text)
        if _NUMBER.match(text):
            return Decimal(text)
    return text


class _Dumper(yaml.SafeDumper):
    """Writes without tags what `_plain` reads back."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # pyright: ignore[reportIncompatibleVariableOverride]

    def ignore_aliases(self, data: Any) -> bool:
        """Equal objects are written out each time."""
        del data
        return True


_TAG = "tag:yaml.org,2002:"
_Dumper.add_implicit_resolver(f"{_TAG}bool", re.compile(r"(true|false)\Z"), list("tf"))
_Dumper.add_implicit_resolver(f"{_TAG}null", re.compile(r"null\Z"), ["n"])
_Dumper.add_implicit_resolver(f"{_TAG}int", _WHOLE, list("-+0123456789"))
_Dumper.add_implicit_resolver(f"{_TAG}float", _NUMBER, list("-+0123456789"))


def _represent_text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    """Quoted where this or another YAML reader would take it for something else (`no`, `0x10`, `12:30`, `1e5`)."""
    style: str | None = None
    if any(not character.isprintable() for character in value):
        lines = value.removesuffix("\n").split("\n")
        is_paragraph = len(lines) > 1 and all(line and line == line.strip() and line.isprintable() for line in lines)
        style = "|" if is_paragraph else '"'
    elif _plain(value) is not value or (
        yaml.SafeDumper.resolve(_OTHERS, yaml.ScalarNode, value, (True, False)) in _TAKEN
    ):
        style = "'"
    return dumper.represent_scalar(f"{_TAG}str", value, style=style)


def _represent_number(dumper: yaml.SafeDumper, value: Decimal | float) -> yaml.ScalarNode:
    """As Python spells it, so that it comes back as it was; in quotes where the spelling is no number to `_plain`."""
    text = str(value)
    if isinstance(_plain(text), str):
        return dumper.represent_scalar(f"{_TAG}str", text, style="'")
    return dumper.represent_scalar(f"{_TAG}{'int' if _WHOLE.match(text) else 'float'}", text)


_OTHERS = yaml.SafeDumper(StringIO())  # resolves as YAML 1.1 does
_TAKEN = tuple(f"{_TAG}{kind}" for kind in ("bool", "int", "float", "null", "merge", "value"))
_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(Decimal, _represent_number)
_Dumper.add_representer(float, _represent_number)
_Dumper.add_representer(dict, lambda dumper, value: dumper.represent_mapping(f"{_TAG}map", value.items()))


def _lay_out(node: Any) -> int:
    """Groups of scalars that fit stand in one line, all else in a line for each; the width of what is in one line."""
    if isinstance(node, yaml.ScalarNode):
        return WIDTH if node.style == "|" else len(node.value) + 2  # quotes, or a comma and a space
    parts = [part for child in node.value for part in (child if isinstance(child, tuple) else (child,))]
    widths = [_lay_out(part) for part in parts]
    flat = all(isinstance(part, yaml.ScalarNode) for part in parts) and sum(widths) <= FLAT_WIDTH
    node.flow_style = flat
    return sum(widths)
