"""The server for people: the console's pages, the JSON API and the metrics."""
