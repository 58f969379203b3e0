"""The manual: the pages of `docs/`, to be read and searched here. An installation without a checkout beside it has none."""

from typing import Final

from markupsafe import Markup

from console.api import problems
from console.api.calls import Call
from console.api.rights import SIGNED_IN
from console.pages import manual, site_of_manual
from console.pages.ask import Ask
from console.pages.page import Pages, Shown
from console.pages.translations import N_, _

PAGES: Final = Pages()
_FOLDERS: Final = {
    "tutorial": N_("Tutorial"),
    "how-to": N_("How to"),
    "runbooks": N_("When something is wrong"),
    "explanation": N_("Why it is so"),
    "": N_("How it is built"),
    "reference": N_("Reference"),
    "decisions": N_("Decisions"),
    "security": N_("Security"),
}
MODELS: Final = "models.html"  # in the local directory, where `make models` puts it
# What dbt has made runs scripts of its own, with what they evaluate: as a page of nobody's (sandbox without allow-same-origin), which can reach
# neither the console's cookies nor anything else.
_MODELS_POLICY: Final = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:; "
    "font-src data:; frame-ancestors 'none'; form-action 'none'; base-uri 'none'"
)


@PAGES.show("/help", right=SIGNED_IN, template="help.html")
def help_page(call: Call, ask: Ask) -> Shown:
    """Every page of the manual, or those that hold what is searched for, at the section where it stands."""
    text = ask.text("search")
    pages = manual.search(text) if text else list(manual.pages())
    has_models = (call.settings.local_directory / MODELS).is_file()
    site = site_of_manual.ADDRESS if (site_of_manual.directory(call.settings) / "index.html").is_file() else ""
    content = {"ask": ask, "pages": pages, "text": text, "folders": _FOLDERS, "has_models": has_models, "site": site}
    return Shown(title=_("Help"), content=content)


@PAGES.show("/help/models", right=SIGNED_IN, template="as_it_is.html")
def models_page(call: Call, ask: Ask) -> Shown:  # noqa: ARG001
    """The models of the reports as dbt documents them: what each is made of, column by column."""
    file = call.settings.local_directory / MODELS
    if not file.is_file():
        raise problems.not_found("page of the models (`make models` makes it)", MODELS)
    html = Markup(file.read_text(encoding="utf-8"))  # noqa: S704  (ours, and it runs in a sandbox)
    return Shown(title=_("Models"), content={"html": html}, headers={"Content-Security-Policy": _MODELS_POLICY})


@PAGES.show("/help/{page:path}", right=SIGNED_IN, template="manual.html")
def manual_page(call: Call, ask: Ask) -> Shown:  # noqa: ARG001
    """One page of the manual."""
    name = str(ask.path["page"])
    file = (manual.MANUAL / name).resolve()
    if not file.is_relative_to(manual.MANUAL.resolve()) or file.suffix != ".md" or not file.is_file():
        raise problems.not_found("page of the manual", name[: problems.SHOWN_CHARACTERS])
    text = file.read_text(encoding="utf-8")
    return Shown(title=manual.title(text, name), content={"html": manual.html_of(text, name.count("/"))})
