"""Reading the past: stored events page by page, and the rules as a draft, a moment or the newest revision has them. Only reads."""
