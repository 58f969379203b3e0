"""What work and keeping cost, as it was measured: each figure with its unit in its name and its source beside it. docs/how-to/sizing.md, the command
`custom-events sizing` and the requests of the Helm chart follow from these.

Of two rounds the dearer one is taken.
"""

from typing import Final

# ---------------------------------------------------------------- what a delivery is
DELIVERIES_AN_ORDER: Final = (
    4  # create, paid, an update that says something, fulfilled: what Shopify posts of an ordinary order
)
CUSTOM_EVENTS_AN_ORDER: Final = 1.8  # five rules a site, docs/reference/performance.md 5 and decision 65
CONVERSIONS_AN_ORDER: Final = 1.8  # at most: every custom event goes to Google

# ---------------------------------------------------------------- processor, us
RECEIVER_US: Final = 69  # a delivery, of the receiver's process: docs/reference/performance.md 2
LANDING_POSTGRES_US: Final = 45  # the same delivery, of PostgreSQL: docs/reference/performance.md 2 (114 together)
# A delivery of an order with four of them on full tables (benchmarks/filled.py, docs/reference/performance.md 14): the first (223 + 452 + 249 + 305) / 4 at 1,000,000
# orders, 285 at 300,000; the second (195 + 382 + 104 + 143) / 4 at 300,000, 167 at 1,000,000. So neither is said to grow up to a million.
PIPELINE_US: Final = 307
PIPELINE_POSTGRES_US: Final = 206
# Beyond a million: a new order on 5,000,000 took 338 / 310 of a drain's processor and 349 / 192 of PostgreSQL's, the dearer of two warm rounds
# (docs/reference/performance.md 10). Each share is what comes on top with ten times as many orders, for every kind of delivery: the other kinds are not measured there.
GROWS_FROM_ORDERS: Final = 1_000_000
TENFOLD_PIPELINE_SHARE: Final = 0.13
TENFOLD_POSTGRES_SHARE: Final = 1.17
RULES_A_SITE: Final = 5  # assignments, of the worlds in which these were measured
RULE_US: Final = 0.4  # a further assignment of a site, of a drain for each delivery: 40,000 events a second with 50, 136,000 with 5 (decision 4)
SENDER_US: Final = (
    35  # a conversion in a full batch: 40 ms for 2,000, and 15 of Google's client, rounded up: decision 17
)
SENDER_POSTGRES_US: Final = 30  # 60 ms for 2,000: decision 17
# Small batches, cores whatever the rate (25 to 100 deliveries a second, 16 accounts; benchmarks/load.py, docs/reference/performance.md 13): a look each half second, a
# transaction and its look-ups for each batch, a claim and a call for each account. Beside these the figures above are those of large batches.
POSTGRES_BATCHES_CORES: Final = 0.20
PIPELINE_BATCHES_CORES: Final = 0.05
SENDER_BATCHES_CORES: Final = 0.07
REPORTS_US: Final = 7.1  # an order that is kept, of PostgreSQL, each build: docs/reference/performance.md 7
REPORTS_BUILD_S: Final = 0.43  # of PostgreSQL, each build, whatever is kept: docs/reference/performance.md 7
REPORTS_DBT_S: Final = 8.0  # of dbt's own process, each build: docs/reference/performance.md 7
BUILDS_A_DAY: Final = 24  # orchestration/schedules.py
AT_REST_CORES: Final = 0.15  # Dagster's daemon, its sensors and the console, while nothing comes: benchmarks/soak.py
RUN_START_S: Final = 3.0  # of the processor, to import Dagster and the graph: docs/reference/performance.md 6

# ---------------------------------------------------------------- memory, MiB (proportional set size)
RECEIVER_MIB: Final = 74  # a process: docs/reference/performance.md 6
CONSOLE_MIB: Final = 104  # benchmarks/soak.py
CODE_SERVER_MIB: Final = 150  # the same, as the next
WEBSERVER_MIB: Final = 145
DAEMON_MIB: Final = 118
RUN_MIB: Final = 165  # a run that drains or sends, without rules
DBT_MIB: Final = 144  # dbt's process beside the run that builds reports: docs/reference/performance.md 7
CONNECTION_MIB: Final = 10  # a backend of PostgreSQL that has planned our statements, without shared memory

# ---------------------------------------------------------------- disk and log, bytes
RAW_BYTES: Final = (
    3_300  # a delivery: 2.4 kB of body (decision 2), headers, its row in the index of digests and by number
)
# An order with its events, custom events, conversions, keys and all indexes: 7,192 at 5,000,000 orders, and the places of keys (docs/reference/performance.md 14).
ORDER_BYTES: Final = 7_400
REPORTS_SHARE: Final = 0.35  # of what orders take, for the tables of reports: an estimate, not measured
LANDING_LOG_BYTES: Final = 6_000  # a delivery: its row and 3 kB of page images, decision 64
# A delivery of an order with four of them: (14,075 + 19,499 + 2,384 + 7,430) / 4 at 300,000 orders, docs/reference/performance.md 10. At 1,000,000 it is
# (14,324 + 22,220 + 2,491 + 8,310) / 4 = 11,836: of the same entries of indexes more are the first in their page since the last checkpoint, which writes the page.
PIPELINE_LOG_BYTES: Final = 10_847
PIPELINE_LOG_ORDERS: Final = 300_000
TENFOLD_LOG_BYTES: Final = (
    1_900  # more with ten times as many orders: (11,836 - 10,847) / log10(1,000,000 / 300,000), rounded up
)
# And on top of that beyond GROWS_FROM_ORDERS: a new order wrote 26,466 / 18,949 on 5,000,000, the dearer of two rounds: 11,836 * 0.397 / log10(5) - 1,900, rounded up.
TENFOLD_LOG_BYTES_BEYOND: Final = 4_850
SENDER_LOG_BYTES: Final = 929  # a conversion, claim and answer: decision 17
RUN_BYTES: Final = 26_000  # a run of Dagster's with its events: orchestration/run_retention.py
RUNS_A_DAY: Final = 2 * 144 + BUILDS_A_DAY + 50  # drains and sends hand over after ten minutes; hourly and daily jobs
TICK_BYTES: Final = 700  # a tick of a sensor with its indexes: benchmarks/soak.py
TICKS_A_DAY: Final = 65_000  # three sensors each 5 s, two each 15 s, one each minute, kept for a day
LOG_KEPT_BYTES: Final = 2 * 2**30  # pg_wal between two checkpoints: max_wal_size of our embedded server

# ---------------------------------------------------------------- rules in the memory of each run
SITE_BYTES: Final = 2_000  # benchmarks/rules_memory.py: 166 MiB for 20,000 sites of five assignments, 1.9 s to load
ASSIGNMENT_BYTES: Final = 1_400

# ---------------------------------------------------------------- connections
RECEIVER_CONNECTIONS: Final = (
    4  # a process: two of its writer, two for look-ups (ingest_api/connections.py, database.py)
)
CONSOLE_CONNECTIONS: Final = (
    17  # 5 kept and 10 more (postgres/connect.py), one that listens, one that reads (console/api)
)
RUN_CONNECTIONS: Final = 6  # two that drain, or those of a sender's threads, and Dagster's storage
DAGSTER_CONNECTIONS: Final = 8  # webserver, daemon and code server
SPARE_CONNECTIONS: Final = 15  # the command line, backups, a BI tool, PostgreSQL's own reserve

# ---------------------------------------------------------------- what one process can do
RECEIVER_A_SECOND: Final = 5_450  # deliveries of one process: docs/reference/performance.md 2
SHARDS: Final = 16  # as many drains can work at once: setting `shards`
