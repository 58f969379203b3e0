from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.catalog import audit, sites
from custom_events.catalog.sites import Site, SiteSettings
from custom_events.errors import InvalidConfiguration, NeedsAction, NotFound
from custom_events.values.deliveries import Platform, SiteContext
from tests.catalog.conftest import ME


def test_a_site_is_found_by_id_key_and_domain(connection: sa.Connection, site: Site) -> None:
    assert sites.get(connection, site.id) == site
    assert sites.by_key(connection, site.site_key) == site
    assert sites.by_domain(connection, " SHOP.myshopify.com ") == site
    assert len(site.site_key) == 22
    for look in (
        lambda: sites.get(connection, 999_999),
        lambda: sites.by_key(connection, "nobodys-key"),
        lambda: sites.by_domain(connection, "other.example"),
    ):
        with pytest.raises(NotFound, match="There is no site with"):
            look()


def test_keys_are_random(connection: sa.Connection) -> None:
    made = {sites.create(connection, platform=Platform.CUSTOM, name=f"{n}", actor=ME).site_key for n in range(5)}
    assert len(made) == 5


def test_the_defaults_of_settings_are_those_of_understanding() -> None:
    context = SiteContext(site_id=1, platform=Platform.CUSTOM)
    for field in SiteSettings.__struct_fields__:
        if hasattr(context, field):
            assert getattr(SiteSettings(), field) == getattr(context, field), field


def test_cash_on_delivery_counts_by_statuses_of_the_shops_own(connection: sa.Connection) -> None:
    def site(when: Any) -> SiteSettings:
        made = sites.create(
            connection, platform=Platform.WOOCOMMERCE, actor=ME, name="Shop", settings={"cod_paid_when": when}
        )
        return sites.get(connection, made.id).settings

    assert site("completed").cod_paid_when == "completed"
    assert site(["delivered", "handed-over"]).cod_paid_when == ("delivered", "handed-over")
    for wrong in (["wc-delivered"], ["Delivered"], [""], ["x" * 18], [7]):
        with pytest.raises(InvalidConfiguration) as caught:
            site(wrong)
        assert caught.value.path.startswith("settings.cod_paid_when")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", " ", "a name"),
        ("shop_domain", None, "a Shopify site"),
        ("shop_domain", "not a host", "not a host name"),
        ("shop_domain", "https://shop.example/", "not a host name"),
        ("currency", "eur", "ISO 4217"),
        ("time_zone", "Berlin", "IANA name"),
        ("settings", {"no_such": 1}, "one of default_country"),
        ("settings", {"cod_paid_when": "never"}, "one of completed, processing"),
        ("settings", {"default_country": "Germany"}, "ISO 3166"),
        ("site_key", "short", "8 to 64"),
    ],
)
def test_what_cannot_be_used_is_named(connection: sa.Connection, field: str, value: Any, words: str) -> None:
    given: dict[str, Any] = {"name": "Shop", "shop_domain": "a.example", field: value}
    with pytest.raises(InvalidConfiguration, match=words) as caught:
        sites.create(connection, platform=Platform.SHOPIFY, actor=ME, **given)
    assert caught.value.path.startswith(field)


def test_a_taken_name_is_said_and_the_transaction_goes_on(connection: sa.Connection, site: Site) -> None:
    with pytest.raises(NeedsAction, match=r'shop_domain "shop\.myshopify\.com"'):
        sites.create(connection, platform=Platform.SHOPIFY, name="x", actor=ME, shop_domain="Shop.myshopify.com")
    with pytest.raises(NeedsAction, match="site_key"):
        sites.create(connection, platform=Platform.CUSTOM, name="x", actor=ME, site_key=site.site_key)
    other = sites.create(connection, platform=Platform.CUSTOM, name="x", actor=ME)
    with pytest.raises(NeedsAction, match="shop_domain"):
        sites.update(connection, other.id, actor=ME, shop_domain="shop.myshopify.com")


def test_a_change_is_noted_with_its_difference_and_none_is_not(connection: sa.Connection, site: Site) -> None:
    changed = sites.update(
        connection, site.id, actor=ME, time_zone="Europe/Berlin", settings=SiteSettings(default_country="DE")
    )
    assert (changed.time_zone, changed.settings.default_country, changed.name) == ("Europe/Berlin", "DE", "Shop")
    sites.update(connection, site.id, actor=ME, time_zone="Europe/Berlin", settings={"default_country": "DE"})
    newest, created = audit.entries(connection, subject=f"site:{site.id}")
    assert created.action == "site.create"
    assert newest.detail["changes"] == ['time_zone: "UTC" -> "Europe/Berlin"', 'settings.default_country: added "DE"']


def test_platform_and_key_never_change(connection: sa.Connection, site: Site) -> None:
    with pytest.raises(InvalidConfiguration, match="cannot be changed"):
        sites.update(connection, site.id, actor=ME, site_key="another-key")


def test_pausing_and_resuming(connection: sa.Connection, site: Site) -> None:
    assert not sites.pause(connection, site.id, actor=ME, reason="moving").is_active
    assert not sites.pause(connection, site.id, actor=ME).is_active
    assert sites.resume(connection, site.id, actor=ME).is_active
    done = [entry.action for entry in audit.entries(connection, subject=f"site:{site.id}")]
    assert done == ["site.resume", "site.pause", "site.create"]


def test_pages_follow_each_other(connection: sa.Connection) -> None:
    made = [sites.create(connection, platform=Platform.CUSTOM, name=f"{n}", actor=ME) for n in range(5)]
    first = sites.page(connection, limit=3)
    second = sites.page(connection, after_id=first[-1].id, limit=3)
    assert [*first, *second] == made


def test_a_change_needs_an_author(connection: sa.Connection, site: Site) -> None:
    with pytest.raises(ValueError, match="author"):
        sites.pause(connection, site.id, actor=" ")
