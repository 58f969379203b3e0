"""`make demo`: all programs, traffic, and a table at the end."""
