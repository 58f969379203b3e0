"""Lists for people, page by page and newest first, and the search for what somebody has in hand. Only reads."""
