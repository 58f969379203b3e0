"""Logs of the receiver: one JSON object a line, its own and the server's alike. Never personal data, never secrets."""

import logging
import sys

import structlog

from custom_events.settings import Settings


def configure(settings: Settings) -> None:
    """Send everything to standard error, from `settings.log_level` on."""
    stamps = [structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    renderer = structlog.processors.JSONRenderer() if settings.log_json else structlog.dev.ConsoleRenderer()
    faults = [structlog.processors.format_exc_info] if settings.log_json else []
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *stamps, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=stamps,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *faults, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
