"""A report: what it holds and of which sites, built in or saved by people."""

from datetime import datetime

import msgspec

from custom_events.reports.content import ReportContent


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report. `site_ids`: the sites whose rows it reads, null: all of them; of a built-in one whoever runs it says which."""

    key: str
    name: str
    content: ReportContent
    site_ids: tuple[int, ...] | None = None
    is_built_in: bool = False
    author: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
