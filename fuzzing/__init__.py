"""Functions that take any bytes, each with the law that it keeps; driven by atheris (`make fuzz`) and by the tests."""
