"""The lane of Google's Data Manager API: open to everyone, answers later and in counts."""
