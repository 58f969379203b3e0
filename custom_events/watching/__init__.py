"""What is wrong, measured from one list: alarms, their channels, Prometheus' figures."""
