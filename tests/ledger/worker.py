"""A worker that dies by SIGKILL: after the intent (before the call), after the call, or while it writes the answer."""

import os
import signal
from datetime import datetime
from typing import Any

from google.oauth2.credentials import Credentials

from custom_events.destinations.google_ads.client import Services
from custom_events.destinations.google_ads.lane import GoogleAdsLane
from custom_events.ledger import record_answers, send
from custom_events.postgres import connect
from custom_events.settings import Settings
from custom_events.values.conversions import Lane

STOP_AT = os.environ["WORKER_STOP_AT"]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Dying(GoogleAdsLane):
    def send(self, *arguments: Any, **options: Any) -> Any:
        if STOP_AT == "intent":
            die()
        answer = super().send(*arguments, **options)
        if STOP_AT == "call":
            die()
        return answer


def write_and_die(*arguments: Any, **options: Any) -> None:
    """Everything is written and nothing committed."""
    record_answers.write_rows(*arguments[:2], arguments[2].rows, arguments[3], whole=False)
    die()


def main() -> None:
    services = Services(Credentials(token="a-token"), os.environ["WORKER_GRPC"], None)
    now = datetime.fromisoformat(os.environ["WORKER_NOW"])
    if STOP_AT == "answer":
        record_answers.write_answer = write_and_die
    send.run_once(
        connect.engine(os.environ["WORKER_DATABASE"], name="doomed"),
        Settings(upload_lease_s=60, upload_timeout_s=10),
        lanes={Lane.GOOGLE_ADS: Dying(lambda _account: services)},
        clock=lambda: now,
    )


if __name__ == "__main__":
    main()
