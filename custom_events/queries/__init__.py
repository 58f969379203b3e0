"""Every SQL statement that Python runs, by name and with its purpose."""
