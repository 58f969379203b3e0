"""The catalog as YAML files: read, checked, planned and applied."""
