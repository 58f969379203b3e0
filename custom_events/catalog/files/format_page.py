"""The reference page of the files, docs/reference/config-files.md, made from their structs. A test holds the file equal."""

from collections.abc import Iterator

import msgspec

from custom_events.catalog.files import schema
from custom_events.catalog.files.documents import (
    FIRST,
    AccountFile,
    ActionEntry,
    AssignmentEntry,
    DefinitionFile,
    SiteFile,
)
from custom_events.catalog.files.meanings import meaning
from custom_events.catalog.sites import SiteSettings
from custom_events.values.definitions import Overrides
from custom_events.values.numbers import MAX_DECIMALS, MAX_WHOLE_DIGITS

DEFINITION_EXAMPLE = """\
name: VIP order
description: A paid order of 200 EUR and more with something of the VIP range.
trigger: [order.paid]
conditions:
  all:
  - {field: order.total, op: '>=', value: 200, currency: EUR}
  - any_item: {field: item.sku, op: starts_with, value: VIP-}
value: {without_tax: true, factor: 0.35}
"""
SITE_EXAMPLE = """\
name: My shop
platform: shopify
shop_domain: my-shop.myshopify.com
currency: EUR
time_zone: Europe/Berlin
assignments:
- definition: purchase
  label: all orders
  ads_action: 1234567890/6101
- definition: vip_order
  label: twice the margin
  also: {field: customer.tags, op: contains, value: vip}
  click_window_days: 30
  ads_action: 1234567890/6102
"""
ACCOUNT_EXAMPLE = """\
name: My ads
lane: google_ads
currency: EUR
actions:
  '6101': {name: Purchase}
  '6102': {name: VIP, click_window_days: 30}
"""
_PAGE = """\
# Rules as files

Made by `make docs`. What is configured, as YAML files in a folder: reviewed, versioned and applied like code. What each setting
means, exactly: [what rules mean](rules.md).

```sh
# not run: docs/tutorial/first-conversion.md does the same, and is
custom-events config export rules                  # what is configured now, without secrets
custom-events config validate rules                # offline: every error with file, line, path and remedy
custom-events config plan rules --out plan.json    # what would change, and what that would have made of the last 30 days
custom-events config apply --plan plan.json        # just that, in one transaction; refused if anything changed in between
```

- **A file's name is the key** of what it holds: `definitions/<key>.yaml`, `sites/<site key>.yaml`, `ads/<customer id>.yaml`.
- **Only what differs from the defaults** is written. Definitions that ship with the product have no file until they are changed.
- **A folder changes what it names, and nothing else.** What is only in the database stays, and the plan lists it. To stop
  something, say so: `active: false` (pause) or `published: false` (retire).
- **Files hold what applies.** A draft beside what is published stays in the database; a draft that says the same as a file is
  published by applying it, not written again.
- **Every change is a revision** with author, time and reason (`--author`, `--reason`; the variable `CUSTOM_EVENTS_AUTHOR`). The
  plan's author is the author; who applies it publishes. With `CUSTOM_EVENTS_PUBLISH_NEEDS_SECOND_PERSON` these are two people.
  Names are taken at their word on the command line: who may reach the database is the database's business.
- **Strict YAML**: unknown keys, keys that stand twice, empty keys, anchors, tags and second documents are errors. Only `true`, `false`,
  `null` and decimal numbers are anything but text (`NO` is Norway). Amounts keep the digits that were written.
- **Numbers** are finite, with at most {whole} digits before the point and {decimals} after it: what the database and Google can hold. NaN and
  Infinity are none. **Days** are written 2026-01-31 and no other way. **Texts** hold no NUL.
- **Errors and warnings.** An error cannot be applied. A warning is shown by `validate`, `plan` and `apply`: a setting that has no effect
  (a part of the order's total with another source, a priority without a group), a currency that the site never uses, equal priorities in
  one group, a file or folder that is not read. `validate --strict` takes warnings for errors. A setting that was written for another
  source (`fixed` without `source: fixed`) is an error: Google would get another value than the one that stands there.
- **What is stored and not in the files** stands in nobody's way: what an earlier version accepted and this one refuses is a warning there.
- **Conflicts** (several assignments of a site that would send the same orders to one ads action) are counted on stored history by
  `plan`, and by `validate` without a folder. An action that does not exist and a click window longer than the action's are errors.

Editors complete and check with the JSON Schemas: {schemas}; in VS Code's YAML
extension: `"yaml.schemas": {{"docs/reference/config-site.schema.json": "rules/sites/*.yaml"}}`, and so on.
"""
_ENTRIES = """
An entry of `assignments`: every setting of the definition may be overridden; one that is not named is inherited, `null` takes it
away.

"""


def render() -> str:
    """The whole page."""
    schemas = ", ".join(f"[{name}]({name})" for name in schema.FILES)
    parts = [
        _PAGE.format(schemas=schemas, whole=MAX_WHOLE_DIGITS, decimals=MAX_DECIMALS),
        _section("definitions/vip_order.yaml", DEFINITION_EXAMPLE, DefinitionFile),
        _section("sites/my-shop-key.yaml", SITE_EXAMPLE, SiteFile),
        "\nThe `settings` of a site:\n\n",
        *_table(SiteSettings),
        _ENTRIES,
        *_table(AssignmentEntry, but=set(Overrides.__struct_fields__) - {"also"}),
        _section("ads/1234567890.yaml", ACCOUNT_EXAMPLE, AccountFile),
        "\nAn entry of `actions`:\n\n",
        *_table(ActionEntry),
    ]
    return "".join(parts)


def _section(name: str, example: str, kind: type[msgspec.Struct]) -> str:
    return f"\n## {name}\n\n```yaml\n{example}```\n\n" + "".join(_table(kind))


def _table(kind: type[msgspec.Struct], but: set[str] | None = None) -> Iterator[str]:
    yield "| setting | default | meaning |\n|---|---|---|\n"
    for field in sorted(msgspec.structs.fields(kind), key=_place):
        if field.name not in (but or ()):
            yield f"| `{field.name}` | {_default(field)} | {meaning(kind, field.name)} |\n"


def _place(field: msgspec.structs.FieldInfo) -> int:
    """In the order in which files are written."""
    return FIRST.index(field.name) if field.name in FIRST else len(FIRST)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "needed"
    if field.default is msgspec.NODEFAULT or isinstance(field.default, msgspec.Struct | tuple | msgspec.UnsetType):
        return ""  # a structure of its own, with the defaults that the schema tells
    return f"`{msgspec.json.encode(field.default).decode()}`"
