"""What validation finds beyond shapes: numbers that are none, texts that no database keeps, settings without effect, strays, ties."""

from pathlib import Path

import pytest

from custom_events.catalog.files import checks, folder
from custom_events.catalog.files.folder import Finding
from custom_events.conditions.problems import Severity
from tests.catalog.files.conftest import Write

PAID = "name: X\ntrigger: [order.paid]\n"
SHOP = "name: Shop\nplatform: custom\ncurrency: EUR\n"
ADS = "name: Ads\nlane: google_ads\n"
NOT_NUMBERS = ["NaN", "nan", "-NaN", ".nan", ".NaN", "Infinity", "-Infinity", ".inf", "-.inf", "+.INF", "inf", '"NaN"']
BIG = [
    "1e400",
    "1E+30",
    "9999999999999999",
    "-1e16",
    "1" + "0" * 44,
    '"1000000000000000.5"',
    "1e-13",
    "0.1234567890123",
]


def found(directory: Path) -> list[Finding]:
    read = folder.read(directory)
    return [*read.findings, *read.located_all(checks.check(read.catalog, read.unread))]


def of(directory: Path, severity: Severity) -> list[str]:
    return [str(one) for one in found(directory) if one.severity is severity]


def errors(directory: Path) -> list[str]:
    return of(directory, Severity.ERROR)


def warnings(directory: Path) -> list[str]:
    return of(directory, Severity.WARNING)


NUMBERS = {
    "threshold: {measure: sum, at_least: %s}": "threshold.at_least",
    "value: {source: fixed, fixed: %s}": "value.fixed",
    "value: {factor: %s}": "value.factor",
    "value: {at_least: %s}": "value.at_least",
    "value: {at_most: %s}": "value.at_most",
    "value: {by_currency: {EUR: {factor: %s}}}": "value.by_currency.EUR.factor",
    "value: {source: fixed, by_currency: {EUR: {fixed: %s}}}": "value.by_currency.EUR.fixed",
}
WHOLE = ["priority", "click_window_days", "delay_minutes"]


@pytest.mark.parametrize("word", NOT_NUMBERS)
@pytest.mark.parametrize("line", NUMBERS)
def test_what_is_no_number_is_named_and_the_rest_is_still_checked(rules: Write, line: str, word: str) -> None:
    directory = rules(**{"definitions/x1": PAID + line % word + "\ndelay_minutes: -1\n", "definitions/y1": "name: Y\n"})
    told = errors(directory)
    bare = word.strip('"')
    assert f"definitions/x1.yaml:3: {NUMBERS[line]}: {bare} is no number; a number, such as 0.35" in told
    assert "definitions/x1.yaml:4: delay_minutes: -1 minutes; 0 to 43200" in told
    assert any(one.startswith("definitions/y1.yaml:1: trigger: it is missing") for one in told)


@pytest.mark.parametrize("word", BIG)
@pytest.mark.parametrize("line", NUMBERS)
def test_numbers_that_the_database_or_google_could_not_hold(rules: Write, line: str, word: str) -> None:
    told = errors(rules(**{"definitions/x1": PAID + line % word + "\n"}))[0]
    assert told.startswith(f"definitions/x1.yaml:3: {NUMBERS[line]}: ")
    assert "digits" in told
    assert told.endswith("; at most 15 digits before the point and 12 after it")


@pytest.mark.parametrize("setting", WHOLE)
@pytest.mark.parametrize("word", [*NOT_NUMBERS[:-1], "1e400", "1.5", "9" * 16, "9" * 100, "9" * 300])
def test_whole_numbers(rules: Write, setting: str, word: str) -> None:
    (told,) = errors(rules(**{"definitions/x1": PAID + f"{setting}: {word}\n"}))
    assert told.startswith(f"definitions/x1.yaml:3: {setting}: ")


@pytest.mark.parametrize("word", [*NOT_NUMBERS, *BIG])
@pytest.mark.parametrize(
    "tree",
    [
        "{field: order.total, op: '>', value: %s}",
        "{all: [{field: order.total, op: in, value: [%s]}]}",
        "{field: order.total, op: between, value: [%s, 5]}",
        "{measure: total, op: '>', value: %s}",
        "{not: {any_item: {field: item.price, op: '>', value: %s}}}",
        "{field: meta.x, op: '>', value: %s}",
    ],
)
def test_numbers_in_conditions(rules: Write, tree: str, word: str) -> None:
    told = errors(rules(**{"definitions/x1": PAID + f"conditions: {tree % word}\n"}))
    assert told, word
    assert all(one.startswith("definitions/x1.yaml:3: conditions") for one in told), told
    assert any("is no number" in one or "digits" in one for one in told), told


@pytest.mark.parametrize(
    ("name", "text", "path"),
    [
        ("definitions/x1", PAID + 'description: "a\\0b"\n', "3: description"),
        ("definitions/x1", PAID + 'group: "\\0"\n', "3: group"),
        ("definitions/x1", PAID + 'extra_data: {app_sources: [a, "\\0"]}\n', "3: extra_data.app_sources[1]"),
        ("definitions/x1", PAID + 'conditions: {field: order.number, op: "=", value: "\\0"}\n', "3: conditions.value"),
        ("definitions/x1", PAID + 'conditions:\n  all:\n  - {field: meta.a, op: in, value: [a, "\\0"]}\n', "5: conditions.all[0].value[1]"),
        ("definitions/x1", PAID + 'value: {source: items_total, items: {field: item.sku, op: "=", value: "\\0"}}\n', "3: value.items.value"),
        ("sites/shop-key-1", SHOP + 'settings: {subscription_sources: ["\\0"]}\n', "4: settings.subscription_sources[0]"),
        ("sites/shop-key-1", SHOP + 'assignments:\n- {definition: purchase, label: "\\0"}\n', "5: assignments[0].label"),
        ("sites/shop-key-1", 'name: "\\0"\nplatform: custom\n', "1: name"),
        ("ads/1234567890", 'name: "\\0"\nlane: google_ads\n', "1: name"),
        ("ads/1234567890", ADS + 'actions:\n  "7": {name: "\\0"}\n', "4: actions.7.name"),
        ("ads/1234567890", ADS + 'actions:\n  "7": {name: x, action_type: "\\0"}\n', "4: actions.7.action_type"),
    ],
)  # fmt: skip
def test_texts_that_no_database_keeps(rules: Write, name: str, text: str, path: str) -> None:
    for escape, words in (
        ("\\0", "it holds a NUL character (U+0000), which no database keeps; remove it"),
        ("\\ud83d", "it holds half of a character (U+D83D, a lone surrogate), which is no text; remove it"),
    ):
        directory = rules(**{name: text.replace("\\0", escape)})
        assert f"{name}.yaml:{path}: {words}" in errors(directory)


def test_names_of_settings_and_files_are_shown_as_escapes(rules: Write) -> None:
    directory = rules(**{"definitions/x1": PAID + '"a\\0\\e[31m": 1\nvalue: {by_currency: {"\\0": {factor: 2}}}\n'})
    (directory / "definitions" / "\x1b[31m.yaml").write_text(PAID)
    (directory / "sites" / "\udcff.yaml").write_text(SHOP)
    told = errors(directory)
    assert all(one.isprintable() for one in told)
    assert "".join(told).encode()
    assert any('definitions/x1.yaml:3: "a\\u0000\\u001b[31m"' in one for one in told), told
    assert any("x1.yaml:4: value.by_currency." in one and "is no currency code" in one for one in told), told


@pytest.mark.parametrize(
    ("line", "path", "wrong"),
    [
        ("value: {fixed: 5}", "value.fixed", "a fixed amount has no effect with the source order_total: the value is the order's total; choose the source fixed"),
        ("value: {source: items_total, fixed: 5}", "value.fixed", "no effect with the source items_total"),
        ("value: {source: none, fixed: 5}", "value.fixed", "no effect with the source none: the value is none"),
        ("value: {currency: EUR}", "value.currency", "a currency (of a fixed amount) has no effect with the source order_total"),
        ("value: {field: order.subtotal}", "value.field", "a field has no effect with the source order_total"),
        ("value: {source: fixed, fixed: 1, field: order.subtotal}", "value.field", "no effect with the source fixed: the value is the fixed amount"),
        ("value: {items: {field: item.sku, op: exists}}", "value.items", "a tree of items has no effect with the source order_total"),
        ("value: {by_currency: {EUR: {fixed: 5}}}", "value.by_currency.EUR.fixed", "no effect with the source order_total"),
        ("value: {source: fixed}", "value.fixed", "the fixed amount is missing"),
        ("value: {source: fixed, by_currency: {EUR: {factor: 2}}}", "value.fixed", "the fixed amount is missing"),
        ("value: {source: field}", "value.field", "the field is missing"),
        ("value: {at_least: 5, at_most: 4}", "value.at_most", "4 is below at_least, 5; a larger amount"),
        ("value: {at_least: 50, by_currency: {EUR: {at_most: 10}}}", "value.by_currency.EUR.at_most", "10 is below at_least, 50"),
        ("value: {at_most: 50, by_currency: {EUR: {at_least: 60}}}", "value.by_currency.EUR.at_least", "60 is above at_most, 50; a smaller amount"),
        ("value: {by_currency: {EUR: {at_least: 2, at_most: 1}}}", "value.by_currency.EUR.at_most", "1 is below at_least, 2"),
        ("value: {at_most: 0}", "value.at_most", "it makes every value 0"),
        ("value: {factor: 0}", "value.factor", "a factor of 0 makes every value 0"),
        ("value: {by_currency: {EUR: {factor: -1}}}", "value.by_currency.EUR.factor", "-1 is no amount"),
        ("threshold: {at_least: 2, currency: EUR}", "threshold.currency", "a count has no currency"),
        ("threshold: {at_least: 2, field: order.total}", "threshold.field", "a count has no field"),
        ("threshold: {at_least: 2, window_days: 3}", "threshold.window_days", "a lifetime period has no window; remove it, or choose rolling"),
        ("threshold: {at_least: 2, period: rolling}", "threshold", "the window is missing"),
        ("dedup: {window_days: 3}", "dedup.window_days", "deduplication per order has no window"),
        ("valid_until: 2026-01-01\nvalid_from: 2026-01-02", "valid_until", "2026-01-01 is before valid_from, 2026-01-02; a later day"),
        ("valid_from: 2026-W05", "valid_from", '"2026-W05" cannot be used; a day, such as 2026-01-31'),
        ("valid_from: 20260105", "valid_from", "20260105 cannot be used; a day"),
        ("valid_until: '2026-005'", "valid_until", "cannot be used; a day"),
        ("valid_until: 2026-02-30", "valid_until", "cannot be used; a day"),
    ],
)  # fmt: skip
def test_what_is_certainly_a_mistake(rules: Write, line: str, path: str, wrong: str) -> None:
    told = errors(rules(**{"definitions/x1": PAID + line + "\n"}))
    assert any(one.startswith(f"definitions/x1.yaml:3: {path}") and wrong in one for one in told), told
    assert all(one.startswith("definitions/x1.yaml:3: ") for one in told)


@pytest.mark.parametrize(
    ("line", "path", "wrong"),
    [
        ("value: {source: items_total, without_tax: true}", "value.without_tax", "it has no effect where the items' amounts are without tax anyway, as on WooCommerce and in shops whose prices are net; remove it, unless the shop's prices include their tax"),
        ("value: {source: fixed, fixed: 1, without_shipping: true}", "value.without_shipping", "no effect with the source fixed"),
        ("value: {source: field, field: order.subtotal, without_discounts: true}", "value.without_discounts", "no effect with the source field"),
        ("value: {source: none, factor: 2}", "value.factor", "no effect with the source none"),
        ("value: {source: none, at_least: 2}", "value.at_least", "no effect with the source none"),
        ("value: {source: none, at_most: 2}", "value.at_most", "no effect with the source none"),
        ("value: {source: none, by_currency: {EUR: {factor: 2}}}", "value.by_currency", "no effect with the source none"),
        ("value: {source: none, refunds_lower_it: false}", "value.refunds_lower_it", "no effect with the source none"),
        ("value: {by_currency: {EUR: {}}}", "value.by_currency.EUR", "it says nothing of its own"),
        ("value: {factor: 2, by_currency: {EUR: {factor: 2.0}}}", "value.by_currency.EUR.factor", "2.0 is what holds without it"),
        ("value: {by_currency: {EUR: {factor: 1}}}", "value.by_currency.EUR.factor", "1 is what holds without it"),
        ("value: {source: fixed, currency: EUR, by_currency: {USD: {fixed: 3}}}", "value.currency", "each amount in by_currency is of the currency"),
        ("value: {source: fixed, fixed: 5, at_least: 10}", "value.fixed", "5 is never the value: with factor and bounds it is always 10"),
        ("value: {source: fixed, fixed: 50, at_most: 10}", "value.fixed", "50 is never the value: with factor and bounds it is always 10"),
        ("priority: 3", "priority", "a priority of 3 has no effect without a group; name the group, or remove it"),
        ("delay_minutes: 20160", "delay_minutes", "clicks of more than 76 days before the event are past Google's 90 days when it is over; click_window_days: 76, or a shorter delay"),
    ],
)  # fmt: skip
def test_what_only_has_no_effect_is_a_warning(rules: Write, line: str, path: str, wrong: str) -> None:
    directory = rules(**{"definitions/x1": PAID + line + "\n"})
    assert errors(directory) == []
    (told,) = warnings(directory)
    assert told.startswith(f"definitions/x1.yaml:3: {path}: ")
    assert wrong in told


@pytest.mark.parametrize(
    "line",
    [
        "value: {source: fixed, fixed: 5, currency: EUR}",
        "value: {source: fixed, fixed: 0}",
        "value: {source: fixed, by_currency: {EUR: {fixed: 0}}}",
        "value: {source: fixed, fixed: 5, currency: USD, by_currency: {EUR: {fixed: 4}}}",
        "value: {source: items_total, items: {field: item.sku, op: exists}, factor: 0.5}",
        "value: {without_tax: true, at_least: 1, at_most: 1, by_currency: {EUR: {at_most: 2}}}",
        "value: {factor: 0.123456789012, at_most: 999999999999999}",
        "group: g\npriority: 3",
        "delay_minutes: 20160\nclick_window_days: 76",
        "delay_minutes: 1439",
        "valid_from: 2026-01-01\nvalid_until: 2026-01-01",
        "threshold: {measure: sum, at_least: 1e3, currency: EUR, field: order.subtotal}",
        "conditions: {field: order.number, op: '=', value: NaN}",
        "conditions: {field: meta.id, op: '=', value: '6123456789012345678'}",
    ],
)
def test_what_is_right(rules: Write, line: str) -> None:
    assert found(rules(**{"definitions/x1": PAID + line + "\n"})) == []


def test_what_is_wrong_with_a_definition_is_not_said_again_of_each_site(rules: Write) -> None:
    entries = "assignments:\n- {definition: x1, label: a}\n- {definition: x1, label: b, value: {fixed: 6}}\n- {definition: x1, label: c, priority: 0}\n"
    told = found(
        rules(**{"definitions/x1": PAID + "value: {fixed: 5}\npriority: 1\n", "sites/shop-key-1": SHOP + entries})
    )
    assert [(one.file, one.line, one.path) for one in told] == [
        ("definitions/x1.yaml", 4, "priority"),
        ("definitions/x1.yaml", 3, "value.fixed"),
        ("sites/shop-key-1.yaml", 6, "assignments[1].value.fixed"),
    ]


def test_overrides_that_fit_nothing_inherited(rules: Write) -> None:
    definition = PAID + "group: g\npriority: 2\nclick_window_days: 60\n"
    entries = "assignments:\n- {definition: x1, label: a, group: null}\n- {definition: x1, label: b, delay_minutes: 43200, click_window_days: 90}\n"
    directory = rules(**{"definitions/x1": definition, "sites/shop-key-1": SHOP + entries})
    told = warnings(directory)
    assert [one.partition(": it")[0][:60] for one in told] == [
        "sites/shop-key-1.yaml:5: assignments[0].priority: a priority",
        "sites/shop-key-1.yaml:6: assignments[1].delay_minutes: with ",
    ]
    assert "(inherited from the definition)" in told[0]


def test_currencies_that_the_site_never_uses(rules: Write) -> None:
    threshold = "threshold: {measure: sum, at_least: 1, currency: USD}"
    entries = f"assignments:\n- {{definition: purchase, label: a, {threshold}}}\n- {{definition: x1, label: b}}\n"
    directory = rules(**{"definitions/x1": PAID + f"{threshold}\n", "sites/shop-key-1": SHOP + entries})
    assert warnings(directory) == [
        "sites/shop-key-1.yaml:5: assignments[0].threshold.currency: the site never uses USD: nothing is ever summed; it uses EUR",
        "sites/shop-key-1.yaml:6: assignments[1].threshold.currency: the site never uses USD: nothing is ever summed (inherited from the definition); it uses EUR",
    ]
    assert found(rules(**{"sites/shop-key-1": (SHOP + entries).replace("currency: EUR\n", "")})) == []


@pytest.mark.parametrize(
    ("second", "ties"),
    [
        ("group: g, priority: 1", True),
        ("group: g, priority: 2", False),
        ("group: h, priority: 1", False),
        ("group: g, priority: 1, active: false", False),
        ("group: g, priority: 1, published: false", False),
        ("group: g, priority: 1, trigger: [order.refunded]", False),
        ("group: g, priority: 1, trigger: [order.refunded, order.paid]", True),
        ("group: g, priority: 1, valid_from: 2026-03-01", False),
        ("group: g, priority: 1, valid_from: 2026-02-01", True),
    ],
)
def test_equal_priorities_in_one_group(rules: Write, second: str, ties: bool) -> None:
    first = "group: g, priority: 1, valid_until: 2026-02-28"
    entries = f"assignments:\n- {{definition: purchase, label: a, {first}}}\n- {{definition: first_purchase, label: b, {second}}}\n"
    told = warnings(rules(**{"sites/shop-key-1": SHOP + entries}))
    sentence = (
        'sites/shop-key-1.yaml:6: assignments[1].priority: "first_purchase" labelled "b" has priority 1 in group "g", as "purchase" '
        'labelled "a" has: which of the two fires is decided by which was assigned first; priorities that differ'
    )
    assert told == ([sentence] if ties else [])


@pytest.mark.parametrize(
    ("platform", "settings", "told"),
    [
        ("custom", "cod_paid_when: completed", "settings.cod_paid_when: it has no effect on a site of custom; remove it: only woocommerce has it"),
        ("woocommerce", "cod_paid_when: completed", None),
        ("woocommerce", "subscription_sources: [x]", "settings.subscription_sources: it has no effect on a site of woocommerce; remove it: only shopify has it"),
        ("custom", "cod_paid_when: processing", None),
    ],
)  # fmt: skip
def test_settings_of_another_platform(rules: Write, platform: str, settings: str, told: str | None) -> None:
    text = f"name: S\nplatform: {platform}\nsettings: {{{settings}}}\n"
    assert warnings(rules(**{"sites/shop-key-1": text})) == ([f"sites/shop-key-1.yaml:3: {told}"] if told else [])


@pytest.mark.parametrize(
    "zone", ["", "localtime", "posix/Europe/Berlin", "right/UTC", "europe/berlin", "Factory", "Berlin", "CEST"]
)
def test_time_zones_that_not_every_part_knows(rules: Write, zone: str) -> None:
    directory = rules(
        **{"sites/shop-key-1": SHOP + f"time_zone: '{zone}'\n", "ads/1234567890": ADS + f"time_zone: '{zone}'\n"}
    )
    told = errors(directory)
    assert [one.partition(": time_zone: ")[0] for one in told] == ["ads/1234567890.yaml:3", "sites/shop-key-1.yaml:4"]
    assert ("it is empty" if not zone else f'"{zone}" is not an IANA name') in told[0]


def test_the_zone_that_was_meant(rules: Write) -> None:
    for given, meant in (
        ("europe/berlin", "Europe/Berlin"),
        ("posix/Asia/Tokyo", "Asia/Tokyo"),
        ("America/New York", "America/New_York"),
    ):
        (told,) = errors(rules(**{"sites/shop-key-1": SHOP + f"time_zone: {given}\n"}))
        assert told.endswith(f"is not an IANA name; did you mean {meant}?")


READ = "read are ads/<key>.yaml, definitions/<key>.yaml, sites/<key>.yaml"


@pytest.mark.parametrize(
    ("name", "shown", "right"),
    [
        ("site/my-shop-key.yaml", "site/", f"did you mean sites/? {READ}"),
        ("definition/x.yaml", "definition/", f"did you mean definitions/? {READ}"),
        ("Sites/my-shop-key.txt", "Sites/", f"did you mean sites/? {READ}"),
        ("old/deep/x.yml", "old/", READ),
        ("stray.yaml", "stray.yaml", "move it into one of ads/, definitions/, sites/, or remove it"),
        ("stray.YML", "stray.YML", "move it into one of ads/, definitions/, sites/, or remove it"),
        ("definitions/sub/x.yaml", "definitions/sub/", f"its files belong into definitions/ itself; {READ}"),
        ("definitions/x1.yml", "definitions/x1.yml", "name it x1.yaml"),
        ("definitions/x1.YAML", "definitions/x1.YAML", "name it x1.yaml"),
        ("definitions/x1.json", "definitions/x1.json", "name it x1.yaml"),
        ("definitions/x1.yaml~", "definitions/x1.yaml~", "remove it, or name it x1.yaml"),
        ("sites/shop.yaml.bak", "sites/shop.yaml.bak", "remove it, or name it shop.yaml"),
        ("sites/shop.yaml.txt", "sites/shop.yaml.txt", "remove it, or name it shop.yaml"),
        ("ads/1234567890", "ads/1234567890", READ),
    ],
)
def test_what_is_not_read_is_named_and_what_would_be(rules: Write, name: str, shown: str, right: str) -> None:
    path = rules() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("name: [")
    assert warnings(rules()) == [f"{shown}: it is not read; {right}"]
    assert errors(rules()) == []


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "sites/README.md",
        ".github/workflows/x.yaml",
        "docs/x.png",
        "plan.json",
        "sites/.gitkeep",
        "Makefile",
    ],
)
def test_what_plainly_is_something_else(rules: Write, name: str) -> None:
    path = rules() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    assert found(rules()) == []


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("name: X\ntrigger: [order.paid]\ndescription: 'a\x01b'\n", 3, "the character U+0001 cannot stand in a file"),
        ("name: X\ntrigger: [order.paid]\n'': x\n", 3, "a key is empty"),
        ("name: X\ntrigger: [order.paid]\n? [a, b]\n: c\n", 3, "a key is a list or an object"),
        ("name: X\ntrigger: [order.paid]\n---\nname: Z\n", 3, "a second document begins here"),
        ("name: X\ntrigger: [order.paid]\nvalue: {source: fixed,\n  fixed: 5\n", 3, "close the brace { that begins here"),
        ("name: X\ntrigger:\n- order.paid\n- order.payd\n", 4, 'trigger[1]: "order.payd" cannot be used'),
        ("name: X\ntrigger: [order.paid]\nconditions:\n  all:\n  - field: order.total\n    op: '>'\n    value: x\n", 7, "conditions.all[0].value"),
        ("name: X\ntrigger: [order.paid]\nconditions:\n  field: order.total\n  op: in\n  value:\n  - 1\n  - x\n", 8, "conditions.value[1]"),
        ("name: X\ntrigger: [order.paid]\nvalue:\n  by_currency:\n    EUR: {factor: 2}\n    eur: {factor: 2}\n", 6, "value.by_currency.eur"),
        ("name: X\ntrigger: [order.paid]\nvalue:\n  by_currency:\n    a.b.c: {factor: 2}\n", 5, 'value.by_currency."a.b.c"'),
        ("name: X\ntrigger: [order.paid]\n? 'conditions'\n: {field: order.totl, op: exists}\n", 4, "conditions.field"),
    ],
)  # fmt: skip
def test_the_line_is_that_of_what_is_wrong(rules: Write, text: str, line: int, words: str) -> None:
    told = errors(rules(**{"definitions/x1": text}))
    assert any(one.startswith(f"definitions/x1.yaml:{line}: ") and words in one for one in told), told
