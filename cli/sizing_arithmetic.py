"""Events a day -> processors, memory, disk, log and connections. Pure: measured costs (measured_costs.py) times what comes."""

from math import ceil, log10
from typing import Final

import msgspec

from cli import measured_costs as cost

DAY_S: Final = 86_400
US_PER_S: Final = 1_000_000
MIB: Final = 2**20
PEAK: Final = 5.0  # the busiest hour's rate by the day's mean: shops sell in the evening, and on one day in November
BUSY: Final = 0.6  # of a processor, at the peak: above it queues grow
LEAST_SHARED_MIB: Final = 512.0
DAYS_IN_MEMORY: Final = (
    7  # whose orders shared_buffers should hold: shops send most of what they send of an order within a week
)
CACHES: Final = 2  # the operating system caches as much again
RESERVE: Final = 0.3  # of a disk, left empty: for vacuum, sorts, and to notice in time


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What an installation has to hold. Events are webhooks; days are those that raw events, and what was understood of them, are kept."""

    events_a_day: int
    sites: int
    assignments: int
    raw_days: int
    event_days: int
    log_days: int = 0  # of archived log, for recovery to a point in time


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of process: how many, and for each one processors at the peak, memory and connections to PostgreSQL."""

    name: str
    processes: int
    cores: float
    memory_mib: int
    connections: int


class Sizing(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes. Rates are events a second; disk in bytes by what lies on it."""

    mean_a_second: float
    peak_a_second: float
    programs: tuple[Program, ...]
    postgres_cores: float
    postgres_memory_mib: int
    connections: int
    disk: dict[str, int]
    log_a_day_bytes: int
    rows: dict[str, int]

    @property
    def cores(self) -> int:
        """Whole processors for everything together, at the peak."""
        return max(2, ceil(self.postgres_cores + sum(program.cores * program.processes for program in self.programs)))

    @property
    def memory_mib(self) -> int:
        """For everything together."""
        return self.postgres_memory_mib + sum(program.memory_mib * program.processes for program in self.programs)

    @property
    def disk_bytes(self) -> int:
        """All of it, and what is left empty."""
        return round(sum(self.disk.values()) / (1 - RESERVE))


def run_mib(sites: int, assignments: int) -> int:
    """Memory of one run that drains or sends: every run holds the rules of all sites."""
    return ceil(cost.RUN_MIB + (sites * cost.SITE_BYTES + assignments * cost.ASSIGNMENT_BYTES) / MIB)


def size(load: Load) -> Sizing:
    """What this load takes, by the figures that were measured."""
    peak = PEAK * load.events_a_day / DAY_S
    orders_a_day = load.events_a_day / cost.DELIVERIES_AN_ORDER
    kept_orders = orders_a_day * load.event_days
    conversions_a_second = peak / cost.DELIVERIES_AN_ORDER * cost.CONVERSIONS_AN_ORDER
    programs = _programs(load, peak, conversions_a_second, kept_orders)
    connections = cost.SPARE_CONNECTIONS + sum(program.connections * program.processes for program in programs)
    return Sizing(
        mean_a_second=peak / PEAK,
        peak_a_second=peak,
        programs=programs,
        postgres_cores=_postgres_cores(peak, conversions_a_second, kept_orders),
        postgres_memory_mib=ceil(connections * cost.CONNECTION_MIB + CACHES * _shared_mib(orders_a_day)),
        connections=connections,
        disk=_disk(load, orders_a_day),
        log_a_day_bytes=_log_a_day(load),
        rows={
            "raw events": load.events_a_day * load.raw_days,
            "orders": round(kept_orders),
            "custom events": round(kept_orders * cost.CUSTOM_EVENTS_AN_ORDER),
        },
    )


def _programs(load: Load, peak: float, conversions: float, kept_orders: float) -> tuple[Program, ...]:
    receiver_cores = _cores(peak * cost.RECEIVER_US)
    further_rules = max(0.0, load.assignments / load.sites - cost.RULES_A_SITE)
    pipeline_us = cost.PIPELINE_US * _growth(kept_orders, cost.TENFOLD_PIPELINE_SHARE)
    drain_cores = _cores(peak * (pipeline_us + further_rules * cost.RULE_US)) + _if_any(
        peak, cost.PIPELINE_BATCHES_CORES
    )
    send_cores = _cores(conversions * cost.SENDER_US) + _if_any(peak, cost.SENDER_BATCHES_CORES)
    receivers = max(1, ceil(receiver_cores), ceil(peak / (BUSY * cost.RECEIVER_A_SECOND)))
    drains, senders = min(cost.SHARDS, max(1, ceil(drain_cores))), max(1, ceil(send_cores))
    memory_mib = run_mib(load.sites, load.assignments)
    build_cores = cost.BUILDS_A_DAY * cost.REPORTS_DBT_S / DAY_S
    return (
        _program("receiver", receivers, receiver_cores, cost.RECEIVER_MIB, cost.RECEIVER_CONNECTIONS),
        _program("runs that drain", drains, drain_cores, memory_mib, cost.RUN_CONNECTIONS),
        _program("runs that send", senders, send_cores, memory_mib, cost.RUN_CONNECTIONS),
        _program("run of reports, with dbt", 1, build_cores, cost.RUN_MIB + cost.DBT_MIB, cost.RUN_CONNECTIONS),
        _program("console", 1, cost.AT_REST_CORES / 3, cost.CONSOLE_MIB, cost.CONSOLE_CONNECTIONS),
        _program(
            "Dagster: daemon, webserver, code server", 1, cost.AT_REST_CORES + cost.RUNS_A_DAY * cost.RUN_START_S / DAY_S,
            cost.DAEMON_MIB + cost.WEBSERVER_MIB + cost.CODE_SERVER_MIB, cost.DAGSTER_CONNECTIONS,
        ),
    )  # fmt: skip


def _program(name: str, processes: int, cores: float, memory_mib: int, connections: int) -> Program:
    return Program(
        name=name,
        processes=processes,
        cores=round(cores / processes, 3),
        memory_mib=memory_mib,
        connections=connections,
    )


def _cores(us_a_second: float) -> float:
    return us_a_second / US_PER_S / BUSY


def _postgres_cores(peak: float, conversions: float, kept_orders: float) -> float:
    builds_s = cost.BUILDS_A_DAY * (cost.REPORTS_BUILD_S + kept_orders * cost.REPORTS_US / US_PER_S)
    pipeline_us = cost.PIPELINE_POSTGRES_US * _growth(kept_orders, cost.TENFOLD_POSTGRES_SHARE)
    deliveries_us = peak * (cost.LANDING_POSTGRES_US + pipeline_us)
    work = _cores(deliveries_us + conversions * cost.SENDER_POSTGRES_US) + _if_any(peak, cost.POSTGRES_BATCHES_CORES)
    return round(work + builds_s / DAY_S, 3)


def _tenfolds(orders: float, beyond: int) -> float:
    """How often ten times as many orders as `beyond` are there; 0 up to it."""
    return log10(max(1.0, orders / beyond))


def _growth(kept_orders: float, tenfold_share: float) -> float:
    """By what work on so many orders is dearer than on a million: an order's page of an index is in no cache, and one level deeper."""
    return 1 + tenfold_share * _tenfolds(kept_orders, cost.GROWS_FROM_ORDERS)


def _if_any(peak: float, cores: float) -> float:
    """What small batches take while anything comes."""
    return cores if peak else 0.0


def _shared_mib(orders_a_day: float) -> float:
    """`shared_buffers`: what is read and written all day should lie in memory, which is what some days have written."""
    return max(LEAST_SHARED_MIB, orders_a_day * DAYS_IN_MEMORY * cost.ORDER_BYTES / MIB)


def _disk(load: Load, orders_a_day: float) -> dict[str, int]:
    orders = orders_a_day * load.event_days * cost.ORDER_BYTES
    dagster_days = 14  # `dagster_retention_days`
    return {
        "raw events": load.events_a_day * load.raw_days * cost.RAW_BYTES,
        "orders, events, conversions": round(orders),
        "tables of reports": round(orders * cost.REPORTS_SHARE),
        "Dagster's own": cost.RUNS_A_DAY * dagster_days * cost.RUN_BYTES + cost.TICKS_A_DAY * cost.TICK_BYTES,
        "log between checkpoints": cost.LOG_KEPT_BYTES,
        "archived log": _log_a_day(load) * load.log_days,
    }


def _log_a_day(load: Load) -> int:
    """With the more orders there are, the more pages of indexes are written whole after a checkpoint."""
    orders = load.events_a_day / cost.DELIVERIES_AN_ORDER
    kept_orders = orders * load.event_days
    growth = _tenfolds(kept_orders, cost.PIPELINE_LOG_ORDERS) * cost.TENFOLD_LOG_BYTES
    beyond = _tenfolds(kept_orders, cost.GROWS_FROM_ORDERS) * cost.TENFOLD_LOG_BYTES_BEYOND
    delivery = cost.LANDING_LOG_BYTES + cost.PIPELINE_LOG_BYTES + growth + beyond
    return round(load.events_a_day * delivery + orders * cost.CONVERSIONS_AN_ORDER * cost.SENDER_LOG_BYTES)
