"""A sender as another machine would run it, with a clock of its own: sends what is due, for ever; comes back by itself when the database does.

DATABASE_URL=... python -m chaos.sender CLOCK_FILE
"""

import sys
import time
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from chaos.clock import ShiftedClock
from custom_events.destinations.registry import destinations
from custom_events.ledger import send
from custom_events.logs import configure
from custom_events.postgres import connect
from custom_events.settings import settings

TURN_S: Final = 600.0
AGAIN_S: Final = 0.5  # after the database failed; Dagster starts another run instead


def main() -> None:
    """Until it is ended."""
    configured = settings()
    configure("chaos-sender")
    assert configured.database_url is not None
    engine = connect.engine(configured.database_url.get_secret_value(), name="custom-events-sender")
    lanes, clock = destinations(configured), ShiftedClock(Path(sys.argv[1]))
    while True:
        try:
            send.drain(engine, configured, until_idle_s=TURN_S, limit_s=TURN_S, lanes=lanes, clock=clock)
        except SQLAlchemyError:
            time.sleep(AGAIN_S)


if __name__ == "__main__":
    main()
