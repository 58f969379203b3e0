"""The line that connects a shop: made by the catalog, read by the plugin."""

import json
import subprocess

import pytest

from custom_events.catalog.connecting import connection_string
from custom_events.values.platforms import Platform
from tests.plugins.woocommerce.posts import PHP_S, PLUGIN, needs_php

URL = "https://events.example/webhooks/woocommerce/a-site_key"
READ = """
require $argv[1] . '/tests/bootstrap.php';
$read = CustomEvents\\WooCommerce\\Connection::parse( $argv[2] );
echo json_encode( is_string( $read ) ? $read : array( $read->url, $read->key_id, $read->secret ) );
"""


@needs_php
@pytest.mark.parametrize("secret", ["a", "ab", "abc", "a secret with /+?~ and \u00e9\u20ac", "s" * 200])
@pytest.mark.parametrize("key_id", [None, "k1"])
def test_the_plugin_reads_what_the_catalog_makes(secret: str, key_id: str | None) -> None:
    line = connection_string(Platform.WOOCOMMERCE, URL, secret, key_id)
    assert line is not None
    read = subprocess.run(
        ["php", "-r", READ, "--", str(PLUGIN), line], capture_output=True, text=True, timeout=PHP_S, check=True
    )
    assert json.loads(read.stdout) == [URL, key_id or "", secret]


@pytest.mark.parametrize("platform", [Platform.SHOPIFY, Platform.CUSTOM])
def test_a_store_without_a_plugin_of_ours_has_none(platform: Platform) -> None:
    assert connection_string(platform, URL, "secret", None) is None
