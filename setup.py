"""A build needs the generated client beside the sources: without it `custom-events --server` would fail only where it is used."""

from pathlib import Path

from setuptools import setup

if not (Path(__file__).parent / "api_client" / "__init__.py").is_file():
    raise SystemExit("api_client is missing: make it with `make client` (python -m console.api.client)")
setup()
