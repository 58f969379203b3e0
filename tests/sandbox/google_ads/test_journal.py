"""A sandbox with a journal that is killed comes back knowing all that it acknowledged."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from sandbox.google_ads.adjustments import WAITING_S
from sandbox.google_ads.clock import Clock
from sandbox.google_ads.dump import dump
from sandbox.google_ads.faults import Fault, FaultKind
from sandbox.google_ads.journal import Journal
from sandbox.google_ads.recall import recall
from sandbox.google_ads.seed import Action, Customer, SandboxSeed, Token
from sandbox.google_ads.server import SandboxGoogle
from sandbox.google_ads.state import State
from tests.sandbox.google_ads.conftest import NOW, SHOP, seed

ROOT = Path(__file__).parents[3]
DEADLINE_S = 120
AT = "2026-11-20 11:00:00+00:00"


@pytest.fixture
def file(google: SandboxGoogle, tmp_path: Path) -> Iterator[Path]:
    """The journal of the sandbox that the fixtures' clients reach."""
    journal = Journal(tmp_path / "journal")
    recall(google.state, journal)
    google.reset(seed(), Clock(frozen_at=NOW))
    yield tmp_path / "journal"
    google.state.journal = None
    journal.close()


def recalled(file: Path) -> State:
    """A new sandbox's state, from a copy of the journal: the one that writes it lives on."""
    copy = file.with_suffix(".copy")
    copy.write_bytes(file.read_bytes())
    state = State()
    journal = Journal(copy)
    recall(state, journal)
    journal.close()
    return state


def everything(state: State) -> dict[str, Any]:
    """What both must know alike, but for quotas, which live in the process."""
    document = msgspec.json.decode(dump(state))
    del document["quota"]
    diagnostics = {
        (customer, action): summary
        for customer in state.customers
        for action, summary in (("", state.diagnostics.account(customer)), *state.diagnostics.actions(customer).items())
    }
    return {
        **document,
        "customers": state.customers,
        "actions": state.actions,
        "tokens": state.tokens,
        "users": state.matched_users,
        "switches": state.switches,
        "statuses": state.status_requests,
        "waiting": state.waiting,
        "once": state.clicks_counted,
        "diagnostics": diagnostics,
        "revoked": state.grant_revoked,
    }


def test_what_the_google_ads_api_took(
    google: SandboxGoogle, file: Path, ads: Any, new_click: Callable[..., Any]
) -> None:
    once = f"customers/{SHOP}/conversionActions/3"
    gclid = new_click("gclid")
    ads.upload(
        ads.row(order_id="o1"),
        ads.row(order_id="o2", gclid=None, users=["0" * 64]),
        ads.row(order_id="o3", conversion_action=once, gclid=gclid),
        ads.row(order_id="bad", gclid="unreadable"),
    )
    ads.upload(ads.row(order_id="o1"), ads.row(gclid=gclid, conversion_date_time=AT))
    ads.adjust(ads.adjustment(order_id="o1", value=60.0), ads.adjustment(order_id="later", value=5.0))
    ads.adjust(ads.adjustment("RETRACTION", order_id="never"), ads.adjustment("RETRACTION", order_id="o3"))
    ads.upload(ads.row(order_id="later"))
    ads.adjust(ads.adjustment("RETRACTION", pair=(gclid, AT)))
    assert len(google.state.conversions) == 5
    assert {adjustment.status for adjustment in google.state.adjustments} == {"APPLIED", "PENDING"}
    assert everything(recalled(file)) == everything(google.state)
    google.clock.move(timedelta(seconds=WAITING_S))
    google.state.note_clock()
    ads.rows("SELECT customer.id FROM customer")  # whoever looks is told what waited in vain
    assert everything(recalled(file)) == everything(google.state)
    assert {adjustment.status for adjustment in google.state.adjustments} == {"APPLIED", "FAILED"}
    assert recalled(file).generated_job_id() == google.state.generated_job_id()


def test_what_the_data_manager_api_took(
    google: SandboxGoogle, file: Path, events: Any, event: Callable[..., Any]
) -> None:
    request_id = events.ingest(event(), event(transaction_id="o2", ad_identifiers={"gclid": "unreadable"})).request_id
    events.ingest(event(conversion_value=70.0))
    assert [conversion.value for conversion in google.state.conversions] == [70.0]
    state = recalled(file)
    assert everything(state) == everything(google.state)
    assert request_id in state.status_requests


def test_orders_of_the_remote_control(google: SandboxGoogle, file: Path) -> None:
    def control(what: str, body: Any) -> None:
        requests.post(f"{google.http_url}/control/{what}", json=body, timeout=30).raise_for_status()

    control("seed", {"customers": [{"customer_id": "555-555-5555"}], "tokens": [{"token": "t", "status": "EXPIRED"}]})
    control("switches", {"wbraid_conversions_adjustable": True})
    control("clock", {"move_seconds": 90.0})
    assert requests.post(f"{google.http_url}/token", timeout=30).status_code == 200
    google.state.faults.arm(Fault(kind=FaultKind.INVALID_GRANT, count=1))
    assert requests.post(f"{google.http_url}/token", timeout=30).status_code == 400
    control("grant", {"revoked": True})
    state = recalled(file)
    assert everything(state) == everything(google.state)
    assert state.clock.now() == NOW + timedelta(seconds=90)
    assert "REVOKED" in {token.status for token in state.tokens.values()}
    assert state.faults.fired == {"INVALID_GRANT": 1}
    control("reset", {"actions": [{"customer_id": SHOP, "action_id": "77"}]})
    assert recalled(file).actions.keys() == {"77"}


def test_a_wrong_seed_changes_nothing(google: SandboxGoogle, file: Path) -> None:
    bad = SandboxSeed(customers=[Customer(customer_id=SHOP, time_zone="Mars/Olympus")])
    before = file.read_bytes()
    for order in (google.state.add, google.state.reset):
        with pytest.raises(ValueError, match="Mars"):
            order(bad)
    assert file.read_bytes() == before
    assert everything(recalled(file)) == everything(google.state)


def test_without_a_journal_nothing_is_written(google: SandboxGoogle, tmp_path: Path) -> None:
    google.state.switch(google.state.switches)
    assert google.state.journal is None
    assert list(tmp_path.iterdir()) == []


def test_a_frame_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    journal = Journal(file)
    ends = []
    for number in range(3):
        journal.note("number", number)
        journal.note("text", "x" * number)
        journal.write()
        ends.append(file.stat().st_size)
    journal.close()
    whole = file.read_bytes()
    for length in range(len(whole) + 1):
        file.write_bytes(whole[:length])
        journal = Journal(file)
        frames = sum(end <= length for end in ends)
        assert [kind for kind, _ in journal.entries()] == ["number", "text"] * frames
        assert file.stat().st_size == ([0, *ends][frames])
        journal.note("more", None)
        journal.write()
        journal.close()
        journal = Journal(file)
        assert [kind for kind, _ in journal.entries()][2 * frames :] == ["more"]
        journal.close()
        journal.close()


def test_what_could_not_be_written_goes_with_the_next_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "journal")
    real = os.pwrite

    def part(descriptor: int, data: Any, offset: int) -> int:
        if offset:
            raise OSError("full")
        return real(descriptor, data[:5], offset)

    journal.note("first", 1)
    monkeypatch.setattr(os, "pwrite", part)
    with pytest.raises(OSError, match="full"):
        journal.write()
    monkeypatch.undo()
    journal.write()
    journal.write()
    journal.close()
    journal = Journal(tmp_path / "journal")
    assert [kind for kind, _ in journal.entries()] == ["first"]
    journal.close()


def test_a_journal_of_something_else_and_one_that_is_used(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    with pytest.raises(BlockingIOError):
        Journal(tmp_path / "journal")
    journal.note("elsewhere", 1)
    journal.write()
    journal.close()
    with pytest.raises(ValueError, match="elsewhere"):
        SandboxGoogle.start(tmp_path, journal=tmp_path / "journal")
    Journal(tmp_path / "journal").close()  # which let go of it
    journal = Journal(tmp_path / "values")
    journal.note("value", ("1", "o1", 5.0, "EUR"))
    journal.write()
    journal.close()
    with pytest.raises(ValueError, match="no conversion"):
        recall(State(), Journal(tmp_path / "values"))


def test_one_that_was_stopped_lets_go_of_its_journal(tmp_path: Path) -> None:
    for moved in (0.0, 60.0):
        sandbox = SandboxGoogle.start(tmp_path, clock=Clock(frozen_at=NOW), journal=tmp_path / "journal")
        assert sandbox.clock.now() == NOW + timedelta(seconds=moved)
        sandbox.clock.move(timedelta(minutes=1))
        sandbox.state.note_clock()
        sandbox.stop()


@contextmanager
def process(directory: Path) -> Generator[tuple[subprocess.Popen[str], str], None, None]:
    """A sandbox of its own with a journal, and its HTTP address; killed with -9 in the end."""
    (directory / "seed").write_bytes(
        msgspec.json.encode(
            SandboxSeed(
                customers=[Customer(customer_id=SHOP)],
                actions=[Action(customer_id=SHOP, action_id="1")],
                tokens=[Token(token="known")],
            )
        )
    )
    options = (
        "--directory",
        str(directory),
        "--seed",
        str(directory / "seed"),
        "--journal",
        str(directory / "journal"),
    )
    command = [sys.executable, "-m", "sandbox.google_ads.server", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            first = child.stdout.readline()
            address = re.search(r"HTTP (http://\S+)", first)
            assert address is not None, first
            yield child, address[1]
        finally:
            child.kill()


def ingest(address: str, number: int, instant: datetime) -> None:
    """One event over REST; returns when it is acknowledged, and raises where it is not."""
    body = {
        "destinations": [
            {
                "operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": SHOP},
                "productDestinationId": "1",
            }
        ],
        "events": [
            {
                "transactionId": f"o{number}",
                "eventTimestamp": instant.isoformat(),
                "eventSource": "WEB",
                "currency": "EUR",
                "conversionValue": 1.0 + number,
                "userData": {"userIdentifiers": [{"emailAddress": f"{number:064x}"}]},
            }
        ],
        "encoding": "HEX",
    }
    answer = requests.post(
        f"{address}/v1/events:ingest", json=body, headers={"authorization": "Bearer known"}, timeout=DEADLINE_S
    )
    answer.raise_for_status()


def test_killed_in_mid_flight_it_knows_all_that_it_acknowledged(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    begun: set[str] = set()
    enough = threading.Event()

    def send(address: str, first: int, instant: datetime) -> None:
        with suppress(requests.RequestException):
            for number in range(first, 1_000_000, 4):
                begun.add(f"o{number}")
                ingest(address, number, instant)
                acknowledged.add(f"o{number}")
                if len(acknowledged) >= 40:
                    enough.set()

    with process(tmp_path) as (child, address):
        instant = datetime.fromisoformat(requests.get(f"{address}/control/clock", timeout=30).json()["now"])
        threads = [
            threading.Thread(target=send, args=(address, first, instant - timedelta(hours=1))) for first in range(4)
        ]
        for thread in threads:
            thread.start()
        assert enough.wait(DEADLINE_S)
        child.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join(DEADLINE_S)
    with process(tmp_path) as (_, address):
        orders = [row["order_id"] for row in requests.get(f"{address}/control/dump", timeout=30).json()["conversions"]]
    assert len(orders) == len(set(orders))
    assert acknowledged <= set(orders) <= begun
