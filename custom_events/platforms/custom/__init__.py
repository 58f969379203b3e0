"""Custom senders: our own JSON, signed with a time."""
