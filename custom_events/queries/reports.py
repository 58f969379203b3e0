"""SQL of reports: the marts that dbt builds (schema `reporting`), which are small and hold days. Each is asked for only where it is there."""

from typing import Final

import sqlalchemy as sa

SCHEMA: Final = "reporting"

# When reports were built stands in a row of its own: that of the job is there from the installation on, so that one that never ran is missed.
BUILT_ROW: Final = "reports_built"

# Which of these tables are there, and when they were built last; null: never to the end.
BUILT: Final = sa.text(f"""
SELECT (SELECT ended_at FROM app.scheduled_jobs WHERE name = '{BUILT_ROW}') AS built_at,
  ARRAY(SELECT t.name FROM unnest(CAST(:tables AS text[])) AS t(name) WHERE to_regclass('{SCHEMA}.' || t.name) IS NOT NULL) AS tables
""")

_OF_SITE: Final = "(CAST(:site AS bigint) IS NULL OR m.site_id = :site)"
_PERIOD: Final = "m.day >= CAST(:since AS date) AND m.day <= CAST(:until AS date)"
_IN_CURRENCY: Final = "(CAST(:currency AS text) IS NULL OR m.currency = :currency)"
_FUNNEL: Final = (
    "received",
    "refused",
    "landed",
    "understood",
    "parked",
    "ignored",
    "commerce_events",
    "matched",
    "queued",
    "withheld",
    "sent",
    "accepted",
    "unmatched",
    "rejected",
    "waiting",
    "expired",
    "unknown",
)
_ACCURACY: Final = ("orders", "sent", "withheld", "waiting", "expired", "no_match")
_CONVERSIONS: Final = ("matched", "withdrawn", "withheld", "accepted", "unmatched", "lost", "open")


def _sums(names: tuple[str, ...]) -> str:
    return ", ".join(f"CAST(coalesce(sum(m.{name}), 0) AS bigint) AS {name}" for name in names)


# How far what came on each day got.
FUNNEL: Final = sa.text(f"""
SELECT m.day, {_sums(_FUNNEL)} FROM {SCHEMA}.fct_funnel_daily m WHERE {_PERIOD} AND {_OF_SITE} GROUP BY m.day ORDER BY m.day
""")

# What became of the orders of each day, of all sites together.
ACCURACY_BY_DAY: Final = sa.text(f"""
SELECT m.day, {_sums(_ACCURACY)} FROM {SCHEMA}.fct_accuracy_daily m WHERE {_PERIOD} AND {_OF_SITE} GROUP BY m.day ORDER BY m.day
""")

# The same by site and day, the least accurate first.
ACCURACY_BY_SITE: Final = sa.text(f"""
SELECT m.site_id, m.site_name, m.day, m.orders, m.sent, m.withheld, m.waiting, m.expired, m.no_match
FROM {SCHEMA}.fct_accuracy_daily m WHERE {_PERIOD} AND {_OF_SITE} AND m.orders > 0
ORDER BY CAST(m.sent + m.withheld AS numeric) / m.orders, m.orders DESC, m.day DESC, m.site_id LIMIT :rows
""")

NO_CAMPAIGN: Final = "no campaign"  # the name of those whose event carried none; their key is empty

# By what conversions are added up: the columns that name it, and what stands for it.
GROUPS: Final = {
    "definition": ("m.definition_key", "max(m.definition_name)", "CAST(NULL AS bigint)", "CAST(NULL AS date)"),
    "site": ("CAST(m.site_id AS text)", "max(m.site_name)", "m.site_id", "CAST(NULL AS date)"),
    "day": ("CAST(m.day AS text)", "CAST(m.day AS text)", "CAST(NULL AS bigint)", "m.day"),
    "assignment": (
        "m.definition_key || ': ' || m.assignment_label || ', ' || m.site_name",
        "m.definition_key || ': ' || m.assignment_label || ', ' || m.site_name",
        "m.site_id",
        "CAST(NULL AS date)",
    ),
    "campaign": (
        "coalesce(m.campaign, '')",
        f"coalesce(max(m.campaign), '{NO_CAMPAIGN}')",
        "CAST(NULL AS bigint)",
        "CAST(NULL AS date)",
    ),
}


def conversions(by: str) -> sa.TextClause:
    """Conversions of a stretch by one of `GROUPS` and by currency, as amounts of two currencies are never added."""
    key, name, site, day = GROUPS[by]
    order = "key, currency" if by == "day" else "matched DESC, key, currency"
    others = "".join(f", {column}" for column in (site, day) if not column.startswith("CAST(NULL"))
    return sa.text(f"""
SELECT {key} AS key, {name} AS name, {site} AS site_id, {day} AS day, coalesce(m.currency, '') AS currency, {_sums(_CONVERSIONS)},
  sum(m.value_matched) AS value_matched, sum(m.value_at_google) AS value_at_google
FROM {SCHEMA}.fct_conversions_by_definition m WHERE {_PERIOD} AND {_OF_SITE} AND {_IN_CURRENCY}
GROUP BY {key}{others}, coalesce(m.currency, '') ORDER BY {order} LIMIT :rows
""")


# Definitions with their assignments, and how many of those made a conversion within the stretch.
CONFIGURATION: Final = sa.text(f"""
WITH used AS (
  SELECT m.definition_key, m.site_id, m.assignment_label, sum(m.matched) AS matched, sum(m.accepted) AS accepted, max(m.day) AS last_day
  FROM {SCHEMA}.fct_conversions_by_definition m WHERE {_PERIOD} AND {_OF_SITE} GROUP BY 1, 2, 3)
SELECT d.key, d.name, count(a.id) AS assignments, count(a.id) FILTER (WHERE a.is_active) AS active,
  count(u.matched) AS used, count(a.id) FILTER (WHERE a.is_active AND u.matched IS NULL) AS unused,
  CAST(coalesce(sum(u.matched), 0) AS bigint) AS matched, CAST(coalesce(sum(u.accepted), 0) AS bigint) AS accepted, max(u.last_day) AS last_day
FROM app.custom_event_definitions d
LEFT JOIN app.site_custom_events a ON a.definition_id = d.id AND (CAST(:site AS bigint) IS NULL OR a.site_id = :site)
LEFT JOIN used u ON u.definition_key = d.key AND u.site_id = a.site_id AND u.assignment_label = a.label
GROUP BY d.id, d.key, d.name ORDER BY matched DESC, d.key
""")

# Currencies in which there are conversions.
CURRENCIES: Final = sa.text(f"""
SELECT DISTINCT m.currency FROM {SCHEMA}.fct_conversions_by_definition m WHERE m.currency IS NOT NULL AND {_OF_SITE} ORDER BY 1
""")
