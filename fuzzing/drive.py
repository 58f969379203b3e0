"""One target under atheris: `python -m fuzzing.drive NAME [options of libFuzzer]`. It ends with the process, as libFuzzer does."""

import sys
from importlib import import_module
from typing import Any, Final

# What the fuzzer follows the branches of: our own code.
OURS: Final = ("custom_events", "ingest_api", "console")


def main(name: str, options: list[str]) -> None:
    """Fuzz the target of this name until libFuzzer's options say that it is enough, or a law is broken."""
    fuzzer: Any = import_module("atheris")  # installed by `make fuzz` only
    with fuzzer.instrument_imports(include=list(OURS), enable_loader_override=False):
        from fuzzing.registry import TARGETS
    fuzzer.Setup([f"fuzz {name}", *options], TARGETS[name].run)
    fuzzer.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
