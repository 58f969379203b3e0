"""The manual as a site below the console's help."""

import base64
import hashlib

import httpx

from console.pages import site_of_manual
from custom_events.settings import Settings


def test_it_is_served_where_it_was_made(browser: httpx.Client, settings: Settings) -> None:
    assert site_of_manual.ADDRESS not in browser.get("/help").text
    assert browser.get(f"/{site_of_manual.ADDRESS}").status_code == 404
    folder = site_of_manual.directory(settings)
    folder.mkdir()
    (folder / "index.html").write_text("<script>one()</script><script src='a.js'></script>")
    (folder / "a.js").write_text("")
    try:
        assert f'href="{site_of_manual.ADDRESS}"' in browser.get("/help").text
        answer = browser.get(f"/{site_of_manual.ADDRESS}")
        digest = base64.b64encode(hashlib.sha256(b"one()").digest()).decode()
        assert f"script-src 'self' 'sha256-{digest}';" in answer.headers["content-security-policy"]
        assert (
            browser.get("/help/site/index.html").headers["content-security-policy"]
            == answer.headers["content-security-policy"]
        )
        assert "sha256" not in browser.get("/help/site/a.js").headers["content-security-policy"]
    finally:
        (folder / "index.html").unlink()
        (folder / "a.js").unlink()
        folder.rmdir()


def test_a_page_without_scripts_may_run_none() -> None:
    assert "script-src 'self';" in site_of_manual.policy(b"<p>")
