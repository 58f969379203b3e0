"""`custom-events sandbox shopify`: it says how it is reached, and ends when told to."""

import os
import signal
from threading import Thread

import httpx
import pytest
from click.testing import CliRunner

from cli.main import main
from sandbox.stores.shopify_admin import server
from tests.shopify_app.owner import SHOP


def test_it_serves_until_it_is_told_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[int] = []

    class Ended:
        """In place of the event that is waited for: asks the running server, then sends the signal that ends it."""

        def __init__(self) -> None:
            self.is_set = False

        def set(self) -> None:
            self.is_set = True

        def wait(self) -> None:
            asking = Thread(target=lambda: answers.append(httpx.get(urls[0], trust_env=False).status_code))
            asking.start()
            asking.join()
            os.kill(os.getpid(), signal.SIGTERM)
            assert self.is_set

    urls: list[str] = []
    monkeypatch.setattr(server, "Event", Ended)
    start = server.ShopifyAdmin.start

    def started(*arguments: object, **options: object) -> server.ShopifyAdmin:
        running = start(*arguments, **options)  # type: ignore[arg-type]
        urls.append(f"{running.url}/{SHOP}/admin/oauth/authorize?client_id=another")
        return running

    monkeypatch.setattr(server.ShopifyAdmin, "start", started)
    answer = CliRunner().invoke(main, ["sandbox", "shopify"], catch_exceptions=False)
    assert answer.exit_code == 0
    assert "export CUSTOM_EVENTS_SHOPIFY_URL=http://127.0.0.1:" in answer.output
    assert answers == [400]
