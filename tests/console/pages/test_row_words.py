"""What differs of a row of a bulk change, in sentences."""

import pytest

from console.pages.row_words import change_words, place_words


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ("is_active: added true", "newest_number: added 1", "overrides: added {}"),
            ["enabled", "revision 1 is a draft", "overrides nothing"],
        ),
        (("is_active: true -> false",), ["disabled"]),
        (("published_number: 1 -> 2", "newest_number: 1 -> 2"), ["revision 2 applies, in place of 1"]),
        (("published_number: added 1", "newest_number: added 1"), ["revision 1 applies"]),
        (
            ("published_number: removed 2", "newest_number: removed 2"),
            ["nothing of it applies any more", "its revisions go"],
        ),
        (("is_active: removed true",), ["removed"]),
        (('overrides: added {"priority":2}',), ['overrides {"priority":2}']),
        (("overrides.priority: 1 -> 2",), ["priority: 2, was 1"]),
        (("overrides.value.factor: added 0.35",), ["what it is worth (factor): 0.35"]),
        (("overrides.click_window_days: removed 30",), ["click window: inherited again, was 30"]),
        (
            ('overrides.also: added {"field":"order.billing_country","op":"=","value":"DE"}',),
            ["further conditions, added to those: order.billing_country = DE"],
        ),
        (('overrides.also: added {"field":"order.cou…',), ['further conditions, added to those: {"field":"order.cou…']),
        (("site 4: is_active: true -> false",), ["site 4: disabled"]),
        (("label: a -> b",), ["label: a → b"]),
        (("something else",), ["something else"]),
    ],
)
def test_changes(lines: tuple[str, ...], said: list[str]) -> None:
    assert change_words(lines) == said


def test_places() -> None:
    assert place_words("lines[7]") == "line 7"
    assert place_words("lines[7].overrides.priority") == "line 7, overrides.priority"
    assert place_words("actions[0].site_ids[1]") == ""
