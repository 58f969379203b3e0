"""A worker as another machine would run it: drains what has landed, for ever; comes back by itself when the database does.

    DATABASE_URL=... python -m chaos.worker [TURN_S REST_S]

With a rest between two turns there is work for others meanwhile.
"""

import sys
import time
from typing import Final

from custom_events.errors import Transient
from custom_events.logs import configure
from custom_events.pipeline.drain import drain_sync
from custom_events.settings import settings

TURN_S: Final = 600.0  # unless it is given; then without a rest


def main() -> None:
    """Until it is ended."""
    configured = settings()
    configure("chaos-worker")
    assert configured.database_url is not None
    url = configured.database_url.get_secret_value()
    turn_s, rest_s = map(float, sys.argv[1:3]) if sys.argv[1:] else (TURN_S, 0.0)
    while True:
        try:
            drain_sync(url, configured, until_idle_s=turn_s, limit_s=turn_s)
            time.sleep(rest_s)
        except Transient as error:
            time.sleep(error.retry_after_s)


if __name__ == "__main__":
    main()
