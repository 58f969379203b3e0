"""Where what dagster-dbt makes of the manifest is kept, and whether it is of today. Imports nothing: the supervisor asks, too."""

from pathlib import Path

FILE = "dagster_specs.json"  # beside the manifest
_SOURCES = [Path(__file__).with_name(name) for name in ("dbt_specs.py", "dbt_build.py")]


def is_kept(manifest: Path) -> bool:
    """Whether it was made after the manifest, or how it is read, was changed last."""
    file = manifest.with_name(FILE)
    changed_ns = max(source.stat().st_mtime_ns for source in (manifest, *_SOURCES))
    return file.is_file() and file.stat().st_mtime_ns >= changed_ns
