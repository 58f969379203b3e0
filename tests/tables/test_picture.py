import re
from xml.etree import ElementTree as ET

from custom_events.tables import picture
from custom_events.tables.registry import TABLES

SVG = "{http://www.w3.org/2000/svg}"


def boxes() -> dict[str, tuple[int, int, int, int]]:
    """x, y, width, height by table."""
    found: dict[str, tuple[int, int, int, int]] = {}
    for group in ET.fromstring(picture.render()).iter(f"{SVG}g"):
        box, head = group.find(f"{SVG}rect"), group.find(f"{SVG}text")
        assert box is not None
        assert head is not None
        found[head.text or ""] = tuple(int(box.attrib[name]) for name in ("x", "y", "width", "height"))  # type: ignore[assignment]
    return found


def test_every_table_and_every_reference_is_drawn_the_same_each_time() -> None:
    drawn = picture.render()
    assert drawn == picture.render()
    assert boxes().keys() == {table.name for table in TABLES}
    assert drawn.count("<path") == len(picture.links())
    assert "custom_events.assignment_id -&gt; site_custom_events (by value)" in drawn
    assert "site_secrets.site_id -&gt; sites<" in drawn


def test_boxes_stand_inside_the_picture_and_apart_from_each_other() -> None:
    root = ET.fromstring(picture.render())
    width, height = int(root.attrib["width"]), int(root.attrib["height"])
    places = list(boxes().values())
    for number, (x, y, w, h) in enumerate(places):
        assert 0 <= x <= x + w <= width
        assert 0 <= y <= y + h <= height
        for ox, oy, ow, oh in places[number + 1 :]:
            assert x + w < ox or ox + ow < x or y + h < oy or oy + oh < y


def test_what_is_referred_to_stands_to_the_left() -> None:
    places = boxes()
    for link in picture.links():
        assert places[link.target][0] < places[link.table][0], link


def test_nothing_is_loaded_from_outside() -> None:
    assert set(re.findall(r"https?://[^\s\"<]+", picture.render())) == {"http://www.w3.org/2000/svg"}
