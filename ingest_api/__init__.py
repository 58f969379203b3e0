"""The public receiver: verifies a delivery, commits it, answers. Nothing else is reachable from outside."""
