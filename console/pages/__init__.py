"""The console for people: pages rendered here, by the same services and the same rights as the JSON API."""
