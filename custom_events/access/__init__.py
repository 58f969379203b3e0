"""Who may what: people, their passwords and sessions, API keys, roles; and the answers that are kept for repeated requests."""
