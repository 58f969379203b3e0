"""In which order lists of what happened are read."""

from enum import StrEnum


class TimeOrder(StrEnum):
    """Newest first, as lists are unless asked otherwise, or oldest first."""

    NEWEST = "newest"
    OLDEST = "oldest"
