"""Stored events matched again, for what came late or was corrected: which ones, by which rules, what that changes, and its writing."""
