"""What scripts say is in the language of the page: here one that puts each text in brackets."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from console.pages import install
from console.pages.rendering import Renderer
from tests.console.api.world import PASSWORD
from tests.console.pages.test_translations import compiled, in_brackets
from tests.ui.conftest import LIMIT_MS

expect.set_options(timeout=LIMIT_MS)
# Texts of the builder and attributes that are shown; what the API says of fields, operators and faults, and examples of values, are the same in every language.
SHOWN = """
() => {
  const told = ".live-fault, .meaning, .meaning *, select.op option, [role=option] strong, [role=option] .detail, code, [data-part=value] option";
  const examples = "[data-part=value], [data-part=currency]";
  const texts = [];
  for (const part of document.querySelectorAll(".tree-box *")) {
    for (const name of ["aria-label", "title", "placeholder"]) {
      if (part.hasAttribute(name) && !(name === "placeholder" && part.matches(examples))) texts.push(part.getAttribute(name));
    }
    if (!part.matches(told)) for (const child of part.childNodes) if (child.nodeType === Node.TEXT_NODE) texts.push(child.textContent);
  }
  return texts;
}
"""


@pytest.fixture(scope="module", autouse=True)
def brackets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The console's language, before its server is made."""
    locale = compiled(tmp_path_factory.mktemp("locale"), "de", in_brackets())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(install, "Renderer", lambda digests: Renderer(digests, "de", locale))
        yield


@pytest.fixture
def signed_in(page: Page) -> Page:
    """Ana, as the labels of this language let her sign in."""
    page.goto("/sign-in")
    page.locator("[name=login]").fill("ana@example.org")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("form button").click()
    page.wait_for_selector("h1:has-text('⟦Overview⟧')")
    return page


def test_the_builder_and_lists_speak_the_language_of_the_page(signed_in: Page) -> None:
    signed_in.goto("/definitions/new")
    built = signed_in.locator(".built[data-path=conditions]")
    expect(built).to_have_attribute("data-built", "")
    for added in ("⟦Condition⟧", "⟦Line items⟧", "⟦Number of items⟧", "⟦Group⟧"):
        built.locator(".adds").last.get_by_role("button", name=f"+ {added}").click()
    expect(built.get_by_role("status")).to_have_text("⟦A group is added.⟧ ⟦In this group: 5.⟧")
    texts: list[str] = signed_in.evaluate(SHOWN)
    assert len(texts) > 30
    bare = [text for text in texts if re.search(r"[A-Za-z]{2}", re.sub(r"⟦[^⟧]*⟧", "", text))]
    assert bare == []
    signed_in.goto("/assignments")
    signed_in.locator("[name=assignment_ids]").first.check()
    expect(signed_in.locator("[data-count]")).to_have_text("⟦1 chosen.⟧")
