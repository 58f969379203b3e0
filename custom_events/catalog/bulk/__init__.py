"""Changes of many assignments at once: what is asked as rows, each row by the services of single changes, undo, CSV."""
