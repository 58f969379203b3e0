"""Values as CSV: whatever a text is, it comes back as it was, and no spreadsheet takes it for a formula."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.values import csv_lines

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20) | st.sampled_from(
    ["=1", "'=1", "'", "+", "a\r\nb"]
)


@given(rows=st.lists(st.lists(TEXTS, min_size=2, max_size=3), max_size=4))
def test_what_is_written_is_read_as_it_was(rows: list[list[str]]) -> None:
    written = csv_lines.encode(rows).decode()
    assert [row for _, row in csv_lines.decode(written)] == rows
    for row in csv.reader(io.StringIO(written, newline="")):
        assert not any(one.startswith(("=", "+", "-", "@", "\t", "\r")) for one in row)


def test_other_values_are_json_and_nothing_is_empty() -> None:
    assert csv_lines.encode([(None, True, 7, {"a": 1})]) == b',true,7,"{""a"":1}"\r\n'


def test_rows_have_the_number_of_their_first_line() -> None:
    assert list(csv_lines.decode('a,"b\nc"\n\nd,e')) == [(1, ["a", "b\nc"]), (4, ["d", "e"])]
    with pytest.raises(ValueError, match="line 2: "):
        list(csv_lines.decode('a\n"b"c'))
