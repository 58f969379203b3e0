"""The database itself: where it is, connections, the embedded server, migrations, roles, partitions."""
