"""A worker as another machine would run it: drains what has landed, for ever; comes back by itself when the database does.

    DATABASE_URL=... python -m chaos.worker
"""

import time
from typing import Final

from custom_events.errors import Transient
from custom_events.logs import configure
from custom_events.pipeline.drain import drain_sync
from custom_events.settings import settings

TURN_S: Final = 600.0


def main() -> None:
    """Until it is ended."""
    configured = settings()
    configure("chaos-worker")
    assert configured.database_url is not None
    url = configured.database_url.get_secret_value()
    while True:
        try:
            drain_sync(url, configured, until_idle_s=TURN_S, limit_s=TURN_S)
        except Transient as error:
            time.sleep(error.retry_after_s)


if __name__ == "__main__":
    main()
