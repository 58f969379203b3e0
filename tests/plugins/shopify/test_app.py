"""The Shopify app: its settings name what we understand, its scripts do what their tests say, and orders carry what they wrote."""

import json
import re
import shutil
import tomllib
from datetime import timedelta
from importlib import import_module, util
from pathlib import Path
from typing import Any

import msgspec
import pytest

from console.pages.node import NODE, run
from custom_events.platforms.registry import PLATFORMS
from custom_events.platforms.shopify.admin_queries import API_VERSION
from custom_events.platforms.shopify.app_topics import COMPLIANCE, LIFE, SCOPE_OF_TOPIC, SCOPES
from custom_events.platforms.shopify.topics import HANDLERS, IGNORED
from custom_events.shopify_app.installing import CALLBACK, INSTALL
from custom_events.shopify_app.registering import PIXEL_SCOPES
from custom_events.values.clicks import ConsentStatus
from custom_events.values.deliveries import APP_SCOPES_CHANGED, Platform, RawDelivery, SiteContext
from tests.platforms.shopify_orders import NOON, order_body

PLUGIN = Path(__file__).parents[3] / "plugins" / "shopify"
HANDLER = re.compile(
    r"^#? ?(?:# )?Understood by ([\w.]+):(\w+).*\n#? ?\[\[webhooks\.subscriptions\]\]\n#? ?(compliance_)?topics = (\[.*\])$",
    re.MULTILINE,
)
OPEN_PAGE = """
const { Shop } = await import(process.argv[1]);
const shop = new Shop({ allowed: true, sale: false });
await shop.open("/de/products/lamp?gclid=Cj0KCQiA1b2c3&utm_campaign=autumn");
process.stdout.write(JSON.stringify(shop.attributes));
"""


def _checks() -> Any:
    spec = util.spec_from_file_location("shopify_checks", PLUGIN / "checks.py")
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHECKS = _checks()
needs_npm = pytest.mark.skipif(not CHECKS.MODULES.is_dir(), reason="`make tools` brings what checks the app, from npm")


def settings_of(name: str) -> dict[str, Any]:
    return tomllib.loads((PLUGIN / name).read_text())


def topics_of(name: str, kind: str = "topics") -> list[str]:
    return [
        topic for subscription in settings_of(name)["webhooks"]["subscriptions"] for topic in subscription.get(kind, ())
    ]


# ---------------------------------------------------------------- settings
@pytest.mark.parametrize("name", ["shopify.app.toml", "shopify.app.all-topics.toml"])
def test_the_apps_settings_are_those_of_our_programs(name: str) -> None:
    settings = settings_of(name)
    assert settings["webhooks"]["api_version"] == API_VERSION
    assert settings["access_scopes"]["scopes"] == ",".join(SCOPES)
    assert set(SCOPES) >= PIXEL_SCOPES
    assert settings["application_url"].endswith(INSTALL)
    assert settings["auth"]["redirect_urls"][0].endswith(CALLBACK)
    assert tuple(topics_of(name, "compliance_topics")) == COMPLIANCE


def test_the_topics_of_both_ways_are_the_same() -> None:
    own = {topic for topic, scope in SCOPE_OF_TOPIC.items() if scope == "read_own_subscription_contracts"}
    assert topics_of("shopify.app.toml") == []
    assert set(topics_of("shopify.app.all-topics.toml")) == {*SCOPE_OF_TOPIC, *LIFE} - own
    commented = HANDLER.findall((PLUGIN / "shopify.app.all-topics.toml").read_text())
    assert own <= {topic for *_, topics in commented for topic in json.loads(topics)}


def test_every_subscription_names_who_understands_it() -> None:
    named = {
        topic: (module, function)
        for name in ("shopify.app.toml", "shopify.app.all-topics.toml")
        for module, function, _, topics in HANDLER.findall((PLUGIN / name).read_text())
        for topic in json.loads(topics)
    }
    assert named.keys() == {*SCOPE_OF_TOPIC, *LIFE, *COMPLIANCE}
    for topic, (module, function) in named.items():
        handler = getattr(import_module(module), function)
        if topic in COMPLIANCE:
            assert handler is HANDLERS
        elif topic == "app/scopes_update":
            assert handler is IGNORED
            assert IGNORED[topic] == APP_SCOPES_CHANGED
        else:
            assert HANDLERS[topic] is handler, topic


def test_the_pixel_has_the_settings_that_the_watch_writes() -> None:
    extension = tomllib.loads((PLUGIN / "extensions" / "web-pixel" / "shopify.extension.toml").read_text())
    assert set(extension["settings"]["fields"]) == {"siteKey", "collectUrl"}
    assert extension["runtime_context"] == "strict"
    assert extension["customer_privacy"]["marketing"] is True


# ---------------------------------------------------------------- scripts
def node(*arguments: str) -> str:
    ended = run([*NODE, *arguments])
    assert ended.returncode == 0, ended.stdout[-4_000:] + ended.stderr[-2_000:]
    return ended.stdout


def test_the_themes_script_does_what_its_tests_say() -> None:
    assert "fail 0" in node("--test", str(PLUGIN / "tests" / "click-capture.test.mjs"))


@needs_npm
def test_the_pixel_does_what_its_tests_say() -> None:
    assert "fail 0" in node("--test", str(PLUGIN / "tests" / "web-pixel.test.mjs"))


def test_an_order_says_by_its_attributes_what_the_script_wrote() -> None:
    written = json.loads(node("--input-type=module", "-e", OPEN_PAGE, (PLUGIN / "tests" / "shop.mjs").as_uri()))
    body = order_body(1, NOON + timedelta(minutes=1), place="none")
    body |= {
        "landing_site": None,
        "note_attributes": [{"name": name, "value": value} for name, value in written.items()],
    }
    site = SiteContext(site_id=1, platform=Platform.SHOPIFY, time_zone="UTC", currency="EUR")
    delivery = RawDelivery(topic="orders/paid", body=msgspec.json.encode(body))
    event = PLATFORMS[Platform.SHOPIFY].understand(delivery, site).events[0]
    (click,) = event.clicks
    assert (click.kind.value, click.id, click.clicked_at) == ("gclid", "Cj0KCQiA1b2c3", NOON)
    assert event.utm["campaign"] == "autumn"
    assert event.consent is not None
    assert event.consent.ad_user_data is ConsentStatus.GRANTED
    assert event.consent.ad_personalization is ConsentStatus.DENIED
    assert event.consent.source == "shopify_customer_privacy"


@needs_npm
def test_types_fit_shopifys_own_package(tmp_path: Path) -> None:
    assert CHECKS.types() == ""
    planted = PLUGIN / "extensions" / "web-pixel" / "src" / "index.js"
    text = planted.read_text().replace("event.data.checkout;", "event.data.chekout;", 1)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "index.js").write_text(text)
    shutil.copy(planted.with_name("facts.js"), tmp_path / "src")
    (tmp_path / "node_modules").symlink_to(CHECKS.MODULES)
    project = json.loads((PLUGIN / "tsconfig.json").read_text()) | {"include": ["src/*.js"]}
    (tmp_path / "tsconfig.json").write_text(json.dumps(project))
    assert "chekout" in CHECKS.types(tmp_path / "tsconfig.json")


@needs_npm
def test_shopifys_theme_check_finds_nothing_but_what_is_planted(tmp_path: Path) -> None:
    assert CHECKS.theme() == ""
    planted = shutil.copytree(PLUGIN / "extensions" / "click-capture", tmp_path / "click-capture")
    block = planted / "blocks" / "click-capture.liquid"
    block.write_text("{{ 'x' | no_such_filter }}{% if %}" + block.read_text())
    assert "LiquidHTMLSyntaxError" in CHECKS.theme(planted)


def test_the_lock_names_no_registry_and_pins_every_file() -> None:
    lock = json.loads((PLUGIN / "package-lock.json").read_text())
    manifest = json.loads((PLUGIN / "package.json").read_text())
    assert lock["packages"][""]["dependencies"] == manifest["dependencies"]
    pixel = json.loads((PLUGIN / "extensions" / "web-pixel" / "package.json").read_text())
    assert pixel["dependencies"] == manifest["dependencies"]
    for name, package in lock["packages"].items():
        assert "resolved" not in package
        assert not name or package["integrity"].startswith("sha512-")
