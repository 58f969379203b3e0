"""What is wrong with files, without a database: where, what, and what would be right; all at once."""

from pathlib import Path

import pytest

from custom_events.catalog.files import checks, effects, folder
from custom_events.catalog.files.folder import Folder
from custom_events.conditions.problems import Severity
from tests.catalog.files.conftest import Write

ADS = "name: Ads\nlane: google_ads\nactions:\n  '77': {name: Buy, click_window_days: 30}\n"
PAID = "name: X\ntrigger: [order.paid]\n"
SHOP = "name: Shop\nplatform: custom\n"


def findings(directory: Path) -> list[str]:
    found = folder.read(directory)
    problems = [*checks.check(found.catalog, found.unread), *effects.warnings(found.catalog)]
    return [str(one) for one in [*found.findings, *found.located_all(problems)]]


def entries(*lines: str) -> str:
    return SHOP + "assignments:\n" + "".join(f"- {{{line}}}\n" for line in lines)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("definitions/x1", "name: ' '\ntrigger: [order.paid]\n", 'x1.yaml:1: name: it is empty; a name for people'),
        ("definitions/X", PAID, 'X.yaml:1: the file\'s name gives the key "X"; lower-case letters'),
        ("definitions/x1", PAID + "dedup: {per: customer_window}\n", "x1.yaml:3: dedup.window_days: the window is missing"),
        ("definitions/x1", PAID + "ads_action: 1111111111/1\n", "x1.yaml:3: ads_action: there is no conversion action"),
        ("definitions/x1", PAID + "ads_action: x\n", "x1.yaml:3: ads_action: 'x' names no ads action; <ten digits"),
        ("definitions/x1", "name: X\n", "x1.yaml:1: trigger: it is missing; a list of order.created"),
        ("definitions/x1", "", "x1.yaml:1: name: it is missing; a text"),
        ("definitions/x1", "- 1\n", "x1.yaml:1: here is a list; settings by name: trigger"),
        ("definitions/x1", PAID + "priority: 1\npriority: 2\n", "x1.yaml:4: priority: it stands here twice"),
        ("ads/123-456-7890", "name: A\nlane: google_ads\n", "the file's name has dashes; 1234567890.yaml"),
        ("ads/123", "name: A\nlane: google_ads\n", '123.yaml:1: "123" is not a customer id; ten digits'),
        ("ads/1234567890", "name: ''\nlane: google\ncurrency: eur\ntime_zone: X\n", 'lane: "google" cannot be used; did you mean google_ads?'),
        ("ads/1234567890", ADS + "login_customer_id: 111-111-1111\n", "login_customer_id: it has dashes; digits only: 1111111111"),
        ("ads/1234567890", ADS.replace("'77'", "x7"), '4: actions.x7: "x7" is not Google\'s id of an action'),
        ("ads/1234567890", ADS.replace("30", "91"), "4: actions.77.click_window_days: 91 days are outside"),
        ("ads/1234567890", ADS.replace("Buy", "''"), "4: actions.77.name: it is empty"),
        ("sites/short", SHOP, 'short.yaml:1: "short" is not a site\'s key; 8 to 64 letters'),
        ("sites/shop-key-1", SHOP + "settings: {default_country: Norway}\n", '3: settings.default_country: "Norway" is not'),
        ("sites/shop-key-1", SHOP + "settings: {defalt_country: NO}\n", "settings.defalt_country"),
        ("sites/shop-key-1", SHOP + "shop_domain: Shop.Example\n", "3: shop_domain: it has capitals or space; shop.example"),
        ("sites/shop-key-1", "name: S\nplatform: shopify\n", "shop_domain: it is missing; a Shopify site is found by it"),
        ("sites/shop-key-1", entries("definition: purchas, label: x"), "4: assignments[0].definition: there is no definition \"purchas\"; did you mean purchase?"),
        ("sites/shop-key-1", entries("definition: purchase, label: ''"), "4: assignments[0].label: it is empty"),
        ("sites/shop-key-1", entries("definition: purchase, label: x", "definition: purchase, label: x"), "5: assignments[1]: \"purchase\" labelled \"x\" stands here 2 times"),
        ("sites/shop-key-1", entries("definition: purchase, label: x, also: {field: order.totl, op: exists}"), "4: assignments[0].also.field: there is no field 'order.totl'; nearest: order.total"),
    ],
)  # fmt: skip
def test_each_problem_says_where_and_what_would_be_right(rules: Write, name: str, text: str, expected: str) -> None:
    found = findings(rules(**{name: text}))
    assert any(expected in one for one in found), found


def test_all_problems_come_at_once(rules: Write) -> None:
    directory = rules(
        **{
            "definitions/vip": PAID + "prioritty: 1\nclick_window_days: ninety\nvalue: {factor: -1}\n",
            "sites/shop-key-1": SHOP
            + "time_zone: Berlin\nassignments:\n- {definition: vip, label: x, also: {all: []}}\n- {label: y}\n",
        }
    )
    assert [one.partition("; ")[0] for one in findings(directory)] == [
        'definitions/vip.yaml:3: prioritty: "prioritty" is not known here',
        'definitions/vip.yaml:4: click_window_days: "ninety" cannot be used',
        "sites/shop-key-1.yaml:6: assignments[1].definition: it is missing",
        "definitions/vip.yaml:5: value.factor: -1 is no amount",
        'sites/shop-key-1.yaml:3: time_zone: "Berlin" is not an IANA name',
    ]


def test_what_hangs_on_an_unreadable_file_is_not_reported_too(rules: Write) -> None:
    directory = rules(
        **{
            "definitions/vip": "name: [\n",
            "ads/1234567890": "lane: google_ads\n",
            "sites/shop-key-1": entries(
                "definition: vip, label: x", "definition: purchase, label: y, ads_action: 1234567890/77"
            ),
        }
    )
    assert [one.partition(":")[0] for one in findings(directory)] == ["ads/1234567890.yaml", "definitions/vip.yaml"]


def test_a_broken_definition_is_told_once_not_for_each_site(rules: Write) -> None:
    directory = rules(
        **{
            "definitions/vip": PAID + "group: g\ndelay_minutes: -1\n",
            "sites/shop-key-1": entries("definition: vip, label: x"),
        }
    )
    (finding,) = findings(directory)
    assert "delay_minutes" in finding


def test_a_tree_that_only_together_is_too_large(rules: Write) -> None:
    leaf = "{field: order.number, op: exists}"
    half = f"{{any: [{', '.join([leaf] * 300)}]}}"
    directory = rules(
        **{
            "definitions/vip": PAID + f"conditions: {half}\n",
            "sites/shop-key-1": SHOP + f"assignments:\n- definition: vip\n  label: x\n  also: {half}\n",
        }
    )
    (finding,) = findings(directory)
    assert "sites/shop-key-1.yaml:6: assignments[0].also: the tree has more than 500 conditions" in finding


def test_what_the_site_never_sees_is_a_warning(rules: Write) -> None:
    dollars = "{field: order.total, op: '>', value: 1, currency: USD}"
    directory = rules(
        **{
            "definitions/vip": PAID + f"conditions: {dollars}\n",
            "sites/shop-key-1": SHOP
            + f"currency: EUR\nassignments:\n- {{definition: vip, label: x, also: {dollars}}}\n",
        }
    )
    found = folder.read(directory)
    problems = found.located_all(checks.check(found.catalog))
    assert {one.severity for one in problems} == {Severity.WARNING}
    assert [one.path for one in problems] == ["assignments[0].conditions.currency", "assignments[0].also.currency"]
    assert "(inherited from the definition)" in problems[0].wrong
    assert found.is_readable


def test_files_of_other_endings_and_no_folder_at_all(rules: Write, tmp_path: Path) -> None:
    (rules() / "sites" / "shop-key-1.yml").write_text(SHOP)
    (tmp_path / "sites" / "README.md").write_text("fine")
    assert findings(tmp_path) == ["sites/shop-key-1.yml: it is not read; name it shop-key-1.yaml"]
    (tmp_path / "empty").mkdir()
    assert "there is no configuration here; a folder with ads/, definitions/, sites/" in findings(tmp_path / "empty")[0]


def test_a_file_that_cannot_be_opened(rules: Write) -> None:
    directory = rules()
    (directory / "sites" / "shop-key-1.yaml").symlink_to(directory / "sites")
    assert [one.partition(";")[0] for one in findings(directory)] == [
        "sites/shop-key-1.yaml/: it is not read"
    ]  # a folder
    (directory / "sites" / "shop-key-1.yaml").unlink()
    (directory / "sites" / "shop-key-2.yaml").write_text(SHOP)
    made = Folder(folder.read(directory).catalog, [], {}, set())
    folder._read_file(made, folder.Kind.SITE, "sites/gone.yaml", directory / "sites" / "gone.yaml")
    assert [one.wrong for one in made.findings] == ["it cannot be read (No such file or directory)"]
    assert made.unread == {"sites/gone.yaml"}


def test_two_sites_with_one_domain(rules: Write) -> None:
    text = SHOP + "shop_domain: shop.example\n"
    found = findings(rules(**{"sites/shop-key-1": text, "sites/shop-key-2": text}))
    assert len(found) == 2
    assert "another site has it, too" in found[0]


def test_an_export_touches_only_what_differs_and_removes_when_asked(rules: Write) -> None:
    directory = rules(**{"definitions/vip": PAID, "definitions/old": PAID})
    catalog = folder.read(directory).catalog
    del catalog.definitions["old"]
    assert folder.write(directory, folder.texts(catalog)) == ([], ["definitions/old.yaml"])
    (directory / "definitions/vip.yaml").write_text("name: other")
    assert folder.write(directory, folder.texts(catalog), prune=True) == (
        ["definitions/vip.yaml"],
        ["definitions/old.yaml"],
    )
    assert [path.name for path in (directory / "definitions").iterdir()] == ["vip.yaml"]


def test_who_sends_the_same_orders_is_a_warning_with_its_remedy(rules: Write) -> None:
    both = [f"definition: {key}, label: x, ads_action: 1234567890/78" for key in ("purchase", "repeat_purchase")]
    ads = ADS + "  '78': {name: All}\n"
    (finding,) = findings(rules(**{"ads/1234567890": ads, "sites/shop-key-1": entries(*both)}))
    assert finding.startswith(
        'sites/shop-key-1.yaml:3: assignments: "purchase" labelled "x", "repeat_purchase" labelled "x"'
    )
    assert "put them into one group" in finding
