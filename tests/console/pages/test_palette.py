"""Contrast by arithmetic, as WCAG 2.2 defines it: a browser's checker has been seen to judge none at all."""

import re

import pytest

from console.pages.charts import MOST_SERIES
from console.pages.rendering import STATIC

TEXT, EDGE = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11
STATES = ("good", "info", "warn", "bad", "quiet")
PAIRS = [
    *(("ink", ground, TEXT) for ground in ("ground", "surface", "raised", *(f"{state}-ground" for state in STATES))),
    *(("muted", ground, TEXT) for ground in ("ground", "surface", "raised")),
    *(
        ("accent", ground, TEXT)
        for ground in ("ground", "surface", "raised", "accent-ground", *(f"{state}-ground" for state in STATES))
    ),
    *((state, f"{state}-ground", TEXT) for state in STATES),
    *((state, ground, TEXT) for state in STATES for ground in ("ground", "surface", "raised")),
    ("on-accent", "accent-strong", TEXT),
    ("muted", "quiet-ground", TEXT),
    *(("muted", f"{state}-ground", TEXT) for state in STATES),
    ("surface", "ink", TEXT),
    *(("edge", ground, EDGE) for ground in ("ground", "surface")),
    *((f"series-{number}", ground, EDGE) for number in range(1, MOST_SERIES + 1) for ground in ("ground", "surface")),
]


def palette() -> dict[str, tuple[str, str]]:
    """Each colour's name with what it is in light and in dark."""
    text = (STATIC / "palette.css").read_text()
    return {
        name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", text)
    }


def contrast(one: str, other: str) -> float:
    """From 1 (none) to 21 (black on white)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_arithmetic_finds_a_bad_pair() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") > TEXT > contrast("#777777", "#ffffff")


def low_pairs(colours: dict[str, tuple[str, str]], theme: int) -> dict[str, float]:
    """The pairs that cannot be read in a theme (0: light, 1: dark), with their contrast."""
    return {
        f"{one} on {other}": round(reached, 2)
        for one, other, wanted in PAIRS
        if (reached := contrast(colours[one][theme], colours[other][theme])) < wanted
    }


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_pair_can_be_read(theme: int) -> None:
    assert low_pairs(palette(), theme) == {}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_a_bad_pair_is_found_in_the_theme_that_has_it(theme: int) -> None:
    colours = palette()
    shades = list(colours["muted"])
    shades[theme] = colours["surface"][theme]
    planted = {**colours, "muted": (shades[0], shades[1])}
    assert low_pairs(planted, theme)["muted on surface"] == 1.0
    assert low_pairs(planted, 1 - theme) == {}


def test_every_colour_is_checked_and_none_is_named_elsewhere() -> None:
    named = {name for one, other, _ in PAIRS for name in (one, other)}
    assert palette().keys() - named == {"line"}  # lines between rows: nothing is known by them alone
    sheets = [path for path in STATIC.glob("*.css") if path.name != "palette.css"]
    assert len(sheets) > 1
    style = "\n".join(path.read_text() for path in sheets)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?![-\w])", style.replace("#menu", "")) == []
    assert set(re.findall(r"var\(--([\w-]+)\)", style)) <= palette().keys()
