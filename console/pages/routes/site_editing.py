"""The settings of a site in a form; those of its platform alone, lists of words with commas between."""

import re
from typing import Any, Final

from console.api.bodies import typed
from console.api.calls import Call
from console.api.preconditions import tag_of
from console.api.problems import FieldError, invalid
from console.api.routes import sites as operations
from console.api.routes.sites import SiteChanges
from console.pages.ask import Ask
from console.pages.page import Moved, Pages, Shown, right_of
from console.pages.translations import _
from custom_events.catalog import sites
from custom_events.catalog.files.meanings import meaning
from custom_events.values.deliveries import Platform

PAGES: Final = Pages()
FIELDS: Final = ("name", "shop_domain", "currency", "time_zone")
SETTINGS: Final = (
    *("default_country", "consent_default", "transaction_ids"),
    *("payment_lost", "take_test_orders", "take_sub_orders"),
)
LISTS: Final = {Platform.WOOCOMMERCE: ("payment_lost_statuses",), Platform.SHOPIFY: ("subscription_sources",)}
OWN: Final = "own"  # cash on delivery is paid by statuses of the shop's own, which another field holds
STATUSES: Final = "cod_paid_statuses"
_EDIT: Final = right_of(operations.ROUTES, operations.change_site)
_PLACE: Final = re.compile(r"\[\d+\]\Z")  # of a word in a list


@PAGES.show("/sites/{site_id}/edit", right=_EDIT, template="site_edit.html")
def edit_page(call: Call, ask: Ask) -> Shown:
    """The form of what can be changed of a site."""
    stored = sites.get(call.connection, ask.path["site_id"])
    values = {name: getattr(stored, name) for name in FIELDS}
    values |= {name: getattr(stored.settings, name) for name in (*SETTINGS, *LISTS.get(stored.platform, ()))}
    if stored.platform is Platform.WOOCOMMERCE:
        paid_when = stored.settings.cod_paid_when
        is_own = not isinstance(paid_when, str)
        values |= {"cod_paid_when": OWN if is_own else paid_when, STATUSES: paid_when if is_own else ()}
    form = {name: _typed(value) for name, value in values.items()}
    content = {
        "site": stored,
        "form": {**(ask.form or form), "if_match": tag_of(stored)},
        "stored": form,
        "errors": _errors(ask.errors),
        "lists": LISTS.get(stored.platform, ()),
        "statuses": STATUSES,
        "meaning": lambda name: meaning("SiteSettings", name),
    }
    return Shown(title=_("Settings of %(name)s", name=stored.name), content=content)


@PAGES.change("/sites/{site_id}/edit", right=_EDIT, form=edit_page, checks=True)
def edit(call: Call, ask: Ask) -> Moved:
    """Keep what was typed; refused where somebody else changed it since it was read."""
    changes: dict[str, Any] = {name: ask.field(name) or None for name in FIELDS}
    changes["settings"] = {
        "default_country": ask.field("default_country").upper() or None,
        "consent_default": ask.field("consent_default"),
        "transaction_ids": ask.field("transaction_ids") or "site_and_id",
        "payment_lost": ask.field("payment_lost"),
        **{name: name in ask.form for name in ("take_test_orders", "take_sub_orders")},
        **{name: _words(ask, name) for names in LISTS.values() for name in names if name in ask.form},
    }
    if "cod_paid_when" in ask.form:
        changes["settings"]["cod_paid_when"] = _paid_when(ask)
    changes["name"] = ask.field("name")
    changes["currency"] = ask.field("currency").upper() or None
    site_id = ask.path["site_id"]
    operations.change_site(call, site_id, typed(changes, SiteChanges))
    return Moved(to=f"sites/{site_id}", said=_("Its settings apply from the next batch on."))


def _paid_when(ask: Ask) -> str | list[str]:
    """When cash on delivery counts as paid: by a status that every shop has, or by the shop's own. Raises 422 where these are missing."""
    chosen = ask.field("cod_paid_when")
    if chosen != OWN:
        return chosen
    statuses = _words(ask, STATUSES)
    if not statuses:
        missing = FieldError(
            field=STATUSES, problem="it is missing", remedy="statuses as orders show them, delivered for example"
        )
        raise invalid(missing)
    return statuses


def _words(ask: Ask, name: str) -> list[str]:
    """The words of a field with commas or blanks between, each once."""
    return list(dict.fromkeys(word for word in re.split(r"[\s,]+", ask.field(name)) if word))


def _errors(errors: dict[str, FieldError]) -> dict[str, FieldError]:
    """Errors by the field of the form at which they stand: that of a word in a list at the list's."""
    placed = dict[str, FieldError]()
    for path, error in errors.items():
        name = path.removeprefix("settings.")
        field = _PLACE.sub("", name)
        if field != name and field == "cod_paid_when":
            field = STATUSES
        placed.setdefault(field, error)
    return placed


def _typed(value: object) -> str:
    """A value as a form has it: of a yes or no "on" or nothing, of a list its words with commas between."""
    if isinstance(value, bool):
        return "on" if value else ""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
