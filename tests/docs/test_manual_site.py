"""The manual as a site: built strictly, every page in it, nothing loaded from elsewhere, searchable."""

import re
from pathlib import Path

import pytest

from cli import manual_site
from cli.manual_site import DOCS, chapters, without_links_outside

# MyST asks Sphinx 9 for what Sphinx 11 will have no more.
pytestmark = pytest.mark.filterwarnings("ignore::sphinx.deprecation.RemovedInSphinx11Warning")
ELSEWHERE = re.compile(r"""(?:src=|<link[^>]+href=|@import |url\()["']?(?:https?:)?//""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of docs/, built once."""
    target = tmp_path_factory.mktemp("manual") / "site"
    manual_site.build(target)
    return target


@pytest.mark.untraced
def test_every_page_is_there_and_can_be_searched(site: Path) -> None:
    names = {
        file.relative_to(DOCS).with_suffix("").as_posix() for file in DOCS.rglob("*.md") if file.stem != "template"
    }
    assert names == {
        page.relative_to(site).with_suffix("").as_posix()
        for page in site.rglob("*.html")
        if page.stem not in ("search", "genindex")
    }
    index = (site / "searchindex.js").read_text()
    assert all(f'"{name}"' in index for name in names)


@pytest.mark.untraced
def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for file in (*site.rglob("*.html"), *site.rglob("*.css")):
        assert ELSEWHERE.search(file.read_text(encoding="utf-8")) is None, file.name


@pytest.mark.untraced
def test_the_order_is_that_of_the_index(site: Path) -> None:
    listed = chapters((DOCS / "index.md").read_text())
    assert [caption for caption, _ in listed] == [
        "Tutorial",
        "Training",
        "How to",
        "When something is wrong",
        "Reference",
        "Explanation",
    ]
    page = (site / "glossary.html").read_text()
    assert re.findall(r'class="caption-text">([^<]+)<', page) == [*(caption for caption, _ in listed), "Decisions"]


def test_links_that_lead_nowhere_and_pages_in_no_chapter_are_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    docs = tmp_path / "docs"
    (docs / "decisions").mkdir(parents=True)
    (docs / "decisions" / "0001-first.md").write_text("# First\n")
    (docs / "other.md").write_text("# Other\n")
    (docs / "left_out.md").write_text("# Left out\n")
    links = "[a page](nothing.md)\n[a heading](other.md#not-there)\n[a part](#not-here)\n![a picture](none.png)\n"
    (docs / "index.md").write_text(f"# All\n{links}\n## Reference\n- [Other](other.md)\n")
    monkeypatch.setattr(manual_site, "DOCS", docs)
    with pytest.raises(SystemExit, match="faults"):
        manual_site.build(tmp_path / "site")
    told = capsys.readouterr().err
    for fault in ("nothing.md", "not-there", "not-here", "none.png", "left_out.md"):
        assert fault in told


def test_links_to_code_are_words() -> None:
    text = "[code](../../cli/main.py) [page](../glossary.md#x) [web](https://a.example) [here](#here) [folder](../decisions)\n```\n[x](../../y)\n```\n"
    assert without_links_outside(text, DOCS / "how-to") == (
        "code [page](../glossary.md#x) [web](https://a.example) [here](#here) folder\n```\n[x](../../y)\n```\n"
    )
