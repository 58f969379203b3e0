"""The plugin itself: its own tests under PHPUnit, the conventions of WordPress's directory, and the zip."""

import json
import re
import shutil
import subprocess
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from plugins.woocommerce.build import build, licence_row, template, version
from tests.plugins.woocommerce.posts import PHP_S, PLUGIN, ROOT, needs_php

SOURCE = PLUGIN / "custom-events"
FILES = sorted(SOURCE.rglob("*.php"))
MAIN = (SOURCE / "custom-events.php").read_text()
README = (SOURCE / "readme.txt").read_text()
TRANSLATED = re.compile(r"(?<![\w>$])(?:__|_e|_n|_x|esc_html__|esc_attr__)\( (.*?) \)", re.DOTALL)
# What came to PHP after 7.4, the oldest that is supported.
NEWER = {
    "match": r"\bmatch\s*\([^)]*\)\s*\{",
    "nullsafe": r"\?->",
    "promoted": r"__construct\([^)]*\b(?:private|public|protected)\b",
    "named": r"\(\s*[a-z_]+: ",
    "enum": r"^\s*enum \w+",
    "union": r"function [^{]*\w\|\w[^{]*\{",
    "str_": r"\bstr_(?:contains|starts_with|ends_with)\(",
    "readonly": r"\breadonly\b",
    "first-class": r"\(\.\.\.\)",
    "attribute": r"#\[",
}

SCRIPT = """
const fs = require('fs');
const { source, search, given, consent, changes, type, late } = JSON.parse(fs.readFileSync(0, 'utf8'));
const cookies = [], listeners = {};
const addEventListener = (name, call) => { listeners[name] = call; };
const document = { set cookie(text) { cookies.push(text); }, addEventListener };
const window = { customEventsClicks: given, location: { search, pathname: '/hats', protocol: 'https:' }, addEventListener };
const api = () => { window[type] = 'optin'; window.wp_has_consent = () => consent; };
if (consent !== null && !late) { api(); }
Date.now = () => 1795600800123;
new Function('window', 'document', 'URLSearchParams', source)(window, document, URLSearchParams);
if (late) { api(); listeners.load(); }
for (const said of changes) { listeners.wp_listen_for_consent_change({ detail: { marketing: said } }); }
console.log(JSON.stringify(cookies));
"""
CLICK = {
    "gclid": "abc-1",
    "utm_source": "google",
    "clicked_at": 1795600800,
    "landing_page": "/hats?gclid=abc-1&utm_source=google",
}
SEARCH = "?gclid=abc-1&utm_source=google&email=ana%40example.org"


@needs_php
@pytest.mark.skipif(shutil.which("phpunit") is None, reason="no phpunit: apt-get install phpunit")
def test_its_own_tests_pass() -> None:
    done = subprocess.run(["phpunit"], cwd=PLUGIN, capture_output=True, text=True, timeout=PHP_S, check=False)
    assert done.returncode == 0, done.stdout[-4_000:]
    assert int(re.findall(r"OK \((\d+) tests", done.stdout)[0]) >= 150


@needs_php
def test_every_file_is_php() -> None:
    done = subprocess.run(["php", "-l", *map(str, FILES)], capture_output=True, text=True, timeout=PHP_S, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_keeps_the_conventions(path: Path) -> None:
    text = path.read_text()
    guard = "WP_UNINSTALL_PLUGIN" if path.name == "uninstall.php" else "ABSPATH"
    assert f"defined( '{guard}' ) || exit;" in text
    for words in TRANSLATED.findall(text):
        assert words.endswith("'custom-events'"), words
    # The document blocks speak of types as editors know them; PHP does not read them.
    code = re.sub(r"/\*.*?\*/|//[^\n]*|'(?:[^'\\]|\\.)*'", "''", text, flags=re.DOTALL)
    for what, shape in NEWER.items():
        assert not re.search(shape, code, re.MULTILINE), what
    assert "get_post_meta" not in code
    assert ("$wpdb" in code) == (path.name in ("class-outbox.php", "class-lock.php")), "two classes know the database"


def test_the_send_path_reads_no_order() -> None:
    for name in ("delivery", "answer", "signature", "connection", "outbox", "lock"):
        text = (SOURCE / f"includes/class-{name}.php").read_text()
        assert "wc_get_order" not in text
        assert "Order_Snapshot" not in text


def test_headers_and_readme_say_the_same() -> None:
    headers = dict(re.findall(r"^ \* ([A-Z][\w ]+?):\s+(.+)$", MAIN, re.MULTILINE))
    readme = dict(re.findall(r"^([A-Z][\w ]+?): (.+)$", README, re.MULTILINE))
    for name in ("Requires at least", "Requires PHP", "License", "License URI"):
        assert headers[name] == readme[name]
    assert headers["License"] == "GPL-2.0-or-later"  # decision 62
    assert headers["Version"] == readme["Stable tag"] == version()
    assert f"define( 'CUSTOM_EVENTS_VERSION', '{version()}' )" in MAIN
    assert (headers["Text Domain"], headers["Requires Plugins"]) == (SOURCE.name, "woocommerce")
    requirements = (SOURCE / "includes/class-requirements.php").read_text()
    assert f"const PHP         = '{headers['Requires PHP']}';" in requirements
    assert f"'{headers['WC requires at least']}'  => '{headers['Requires at least']}'" in requirements
    (short,) = re.findall(r"\n\n([^\n=]+)\n\n== Description", README)
    assert len(short) <= 150
    assert "== External services ==" in README


def test_the_zip_is_the_same_each_time_and_holds_the_plugin_alone(tmp_path: Path) -> None:
    made, again = build(tmp_path / "a"), build(tmp_path / "b")
    assert made.name == f"custom-events-{version()}.zip"
    assert made.read_bytes() == again.read_bytes()
    with zipfile.ZipFile(made) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
    files = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*") if path.is_file()}
    assert set(names) == {f"custom-events/{name}" for name in (*files, "languages/custom-events.pot")}


def test_its_licence_is_wordpresss_and_the_text_goes_with_it() -> None:
    text = (SOURCE / "license.txt").read_text()
    assert "GNU GENERAL PUBLIC LICENSE" in text
    assert "Version 2, June 1991" in text
    for name in ("custom-events.php", "assets/clicks.js"):
        assert "SPDX-License-Identifier: GPL-2.0-or-later" in (SOURCE / name).read_text()
    assert licence_row() == (
        f'"custom-events","{version()}","GPL-2.0-or-later","https://www.gnu.org/licenses/gpl-2.0.html"'
    )
    assert "plugins/woocommerce/build.py --licence >> .local/audit/licences.csv" in (ROOT / "Makefile").read_text()
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"] == "Apache-2.0", "the rest"


def test_translators_are_given_every_text() -> None:
    words = template()
    assert words.count("msgid_plural") == 2
    assert 'msgid "You may not change these settings."' in words
    assert """cron off (DISABLE_WP_CRON) and nothing else calls it.""" in words
    assert "as WordPress's cron does not run" in words, "quoted as gettext does"
    calls = [call for path in FILES for call in TRANSLATED.findall(path.read_text())]
    called = sum(len(re.findall(r"\b(?:__|_n|esc_html__|esc_attr__)\(", path.read_text())) for path in FILES)
    assert len(calls) == called
    texts = {re.match(r"'(?:[^'\\]|\\.)*'", call)[0] for call in calls}  # pyright: ignore[reportOptionalSubscript]
    assert words.count("\nmsgid ") == len(texts)


def cookies_of(given: Mapping[str, object]) -> list[str]:
    """The cookies that the script sets. The API gives its type under the name that plugins set by script, and is there at once."""
    given = {"type": "wp_consent_type", "late": False, **given}
    done = subprocess.run(
        ["node", "-e", SCRIPT], input=json.dumps(given), capture_output=True, text=True, timeout=PHP_S, check=True
    )
    cookies: list[str] = json.loads(done.stdout)
    return cookies


needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no node")


def asked(search: str = SEARCH, **changes: object) -> dict[str, object]:
    """What the script is given where the WP Consent API is there, and the shopper has agreed before."""
    return {
        "source": (SOURCE / "assets/clicks.js").read_text(),
        "search": search,
        "given": {"cookie": "custom_events_click", "days": 90, "assume": "unknown", "api": True},
        "consent": True,
        "changes": [],
        **changes,
    }


@needs_node
@pytest.mark.parametrize("late", [False, True])
def test_the_script_hears_of_consent_that_was_given_before_whatever_plugin_asks(late: bool) -> None:
    (cookie,) = cookies_of(asked(type="wp_fallback_consent_type", late=late))
    assert unquote(cookie.partition("=")[2].partition(";")[0]) == json.dumps(CLICK, separators=(",", ":"))


@needs_node
def test_a_click_with_words_that_no_cookie_has_room_for_is_kept_without_them() -> None:
    words = "".join(f"&utm_{name}={quote('帽' * 100)}" for name in ("source", "medium", "campaign", "content", "term"))
    (cookie,) = cookies_of(asked("?gclid=abc-1" + words))
    assert len(cookie) < 4096
    assert json.loads(unquote(cookie.partition("=")[2].partition(";")[0])) == {
        "gclid": "abc-1",
        "clicked_at": 1795600800,
    }


@needs_node
@pytest.mark.parametrize(
    ("search", "assumed", "has_api", "consent", "changes", "kept"),
    [
        pytest.param(SEARCH, "granted", False, None, [], [CLICK], id="assumed"),
        pytest.param(SEARCH, "unknown", False, None, [], [], id="nobody answered"),
        pytest.param(SEARCH, "unknown", False, None, ["allow", "allow"], [CLICK], id="answered later"),
        pytest.param(SEARCH, "granted", True, None, [], [], id="the API's script is not there yet"),
        pytest.param(SEARCH, "denied", True, True, [], [CLICK], id="the API goes first"),
        pytest.param(SEARCH, "granted", True, False, [], [None], id="refused"),
        pytest.param(SEARCH, "granted", False, None, ["deny"], [CLICK, None], id="taken back"),
        pytest.param("?utm_source=google", "granted", False, None, [], [], id="no click"),
    ],
)
def test_the_script_keeps_a_click_when_it_may(
    search: str,
    assumed: str,
    has_api: bool,
    consent: bool | None,
    changes: list[str],
    kept: list[dict[str, object] | None],
) -> None:
    given = {
        "source": (SOURCE / "assets/clicks.js").read_text(),
        "search": search,
        "given": {"cookie": "custom_events_click", "days": 90, "assume": assumed, "api": has_api},
        "consent": consent,
        "changes": changes,
    }
    cookies = cookies_of(given)
    assert len(cookies) == len(kept)
    for cookie, click in zip(cookies, kept, strict=True):
        name, _, rest = cookie.partition("=")
        value, _, attributes = rest.partition(";")
        assert name == "custom_events_click"
        assert attributes == f"path=/;max-age={90 * 86_400 if click else 0};SameSite=Lax;Secure"
        text = re.sub(r"%([0-9A-F]{2})", lambda match: chr(int(match.group(1), 16)), value)
        assert (json.loads(text) if text else None) == click
