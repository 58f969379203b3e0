"""The server for people: the JSON API and the metrics."""
