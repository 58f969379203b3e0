"""Where the dbt project is and what it needs in its environment."""

from pathlib import Path

from sqlalchemy.engine import make_url

PROJECT_DIRECTORY = Path(__file__).parents[1] / "dbt"
MANIFEST = PROJECT_DIRECTORY / "target" / "manifest.json"


def environment(url: str) -> dict[str, str]:
    """The variables that dbt/profiles.yml reads, from a libpq URL (TCP or Unix socket)."""
    parsed = make_url(url)
    host = parsed.host or parsed.query.get("host") or "localhost"
    return {
        "CUSTOM_EVENTS_DBT_HOST": host if isinstance(host, str) else host[0],
        "CUSTOM_EVENTS_DBT_PORT": str(parsed.port or _first(parsed.query.get("port")) or 5432),
        "CUSTOM_EVENTS_DBT_USER": parsed.username or _first(parsed.query.get("user")) or "postgres",
        "CUSTOM_EVENTS_DBT_PASSWORD": parsed.password or "",
        "CUSTOM_EVENTS_DBT_NAME": parsed.database or "postgres",
    }


def _first(value: str | tuple[str, ...] | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return value[0] if value else None
