"""What keeps people out of a page as it stands, by axe."""

from pathlib import Path

from playwright.sync_api import Page

from console.pages.vendored import TAKEN

AXE = Path(TAKEN["axe-core/axe.min.js"])


def broken_rules(page: Page, within: str = "html") -> dict[str, object]:
    """Rules that are broken or left undecided within a part of the page, with where; nothing where axe is not there (`make setup` brings
    it). Of what lies below an open form it cannot decide the contrast: ask within the form then."""
    if not AXE.exists():
        return {}
    page.evaluate(AXE.read_text())  # in the page's own world, since its policy lets no script of others in
    answer = page.evaluate("part => axe.run(part, {resultTypes: ['violations', 'incomplete']})", within)
    broken = [*answer["violations"], *answer["incomplete"]]
    return {one["id"]: [node["target"] for node in one["nodes"]][:3] for one in broken}
