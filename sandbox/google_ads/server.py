"""The sandbox's Google as one object for tests, and as a process of its own."""

import argparse
import gc
import signal
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from sandbox.google_ads import grpc_server, http_server
from sandbox.google_ads.certificates import TRUST_VARIABLE, Certificates, ensure
from sandbox.google_ads.clock import Clock
from sandbox.google_ads.fault_answers import GrpcFaults
from sandbox.google_ads.installed import ads_enums, data_manager_enums
from sandbox.google_ads.journal import Journal
from sandbox.google_ads.recall import recall
from sandbox.google_ads.seed import SandboxSeed, read_seed_file
from sandbox.google_ads.service_account import write_service_account
from sandbox.google_ads.state import State

COLLECTOR_THRESHOLDS = (
    50_000,
    20,
    50,
)  # uploads leave no cycles; the default thresholds cost 10 % of the rows per second


@dataclass
class SandboxGoogle:
    """A running sandbox. Its state can be used in process; hold `state.lock` while reading several parts of it."""

    certificates: Certificates
    state: State
    _grpc: grpc_server.GrpcServer
    _http: http_server.HttpServer
    _stopping: Event

    @classmethod
    def start(
        cls,
        directory: Path,
        grpc_port: int = 0,
        http_port: int = 0,
        seed: SandboxSeed | None = None,
        clock: Clock | None = None,
        journal: Path | None = None,
    ) -> "SandboxGoogle":
        """Start on localhost; port 0 takes a free one. Certificates are kept in `directory`. `journal` is a file from which a sandbox that
        was killed, and is started with the same seed, knows again all that it acknowledged; None: it forgets.

        Raises LookupError when the installed Google packages lack a name the sandbox uses, RuntimeError or OSError when
        a port is taken, OSError and ValueError for a journal that cannot be used.
        """
        ads_enums()
        data_manager_enums()
        certificates = ensure(directory)
        state, stopping = State(seed, clock), Event()
        with ExitStack() as undone:
            if journal is not None:
                opened = Journal(journal)
                undone.callback(opened.close)
                recall(state, opened)
            grpc_part = grpc_server.start(state, certificates, grpc_port, GrpcFaults(state, stopping))
            undone.callback(grpc_part.stop)
            http_part = http_server.start(state, http_port, stopping)
            undone.pop_all()
        return cls(certificates, state, grpc_part, http_part, stopping)

    @property
    def grpc_endpoint(self) -> str:
        """host:port of the Google Ads API and the Data Manager API on gRPC."""
        return f"localhost:{self._grpc.port}"

    @property
    def http_url(self) -> str:
        """Address of the token endpoint, the control endpoint and the Data Manager API on REST."""
        return f"http://127.0.0.1:{self._http.port}"

    @property
    def ca_file(self) -> Path:
        """What clients must trust: the file for GRPC_DEFAULT_SSL_ROOTS_FILE_PATH."""
        return self.certificates.ca_file

    @property
    def clock(self) -> Clock:
        """The sandbox's time."""
        return self.state.clock

    def reset(self, seed: SandboxSeed | None = None, clock: Clock | None = None) -> None:
        """Begin anew with `seed` (the default seed when None) and `clock` (real time when None); ports stay."""
        with self.state.lock:
            self.state.clock = clock or Clock()
            self.state.reset(seed)
            self.state.note_clock()

    def stop(self) -> None:
        """Stop both servers and wait for their threads. Calling it again does nothing."""
        if not self._stopping.is_set():
            self._stopping.set()
            self._http.stop()
            self._grpc.stop()
            if self.state.journal is not None:
                self.state.journal.close()


def environment(sandbox: SandboxGoogle, directory: Path) -> dict[str, str]:
    """The variables with which the real clients reach this sandbox; writes the service account's key file."""
    key_file = write_service_account(directory, f"{sandbox.http_url}/token")
    return {
        TRUST_VARIABLE: str(sandbox.ca_file),
        "GOOGLE_ADS_ENDPOINT": sandbox.grpc_endpoint,
        "GOOGLE_ADS_JSON_KEY_FILE_PATH": str(key_file),
        "GOOGLE_ADS_USE_PROTO_PLUS": "False",
        "no_proxy": "localhost,127.0.0.1",
    }


def serve(
    directory: Path,
    grpc_port: int = 0,
    http_port: int = 0,
    seed: SandboxSeed | None = None,
    journal: Path | None = None,
) -> int:
    """Run in the foreground until SIGINT or SIGTERM; prints the variables to set. The process's exit code.

    Must run on the main thread, because signals are handled there.
    """
    ended = Event()
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    thresholds = gc.get_threshold()
    sandbox = None
    try:
        sandbox = SandboxGoogle.start(directory, grpc_port, http_port, seed, journal=journal)
        lines = [f"export {name}={value}" for name, value in environment(sandbox, directory).items()]
        _print(
            f"Sandbox Google: gRPC {sandbox.grpc_endpoint}, HTTP {sandbox.http_url}", *lines, "Ready. Ctrl-C ends it."
        )
        gc.freeze()  # what is loaded by now lives until the end: the collector need not look at it again
        gc.set_threshold(*COLLECTOR_THRESHOLDS)
        ended.wait()
    finally:
        if sandbox is not None:
            sandbox.stop()
        gc.unfreeze()
        gc.set_threshold(*thresholds)
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


def main(argv: list[str] | None = None) -> int:
    """`custom-events sandbox google-ads`: read the options and serve. The process's exit code."""
    parser = argparse.ArgumentParser(prog="custom-events sandbox google-ads", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="where certificates and the key file are kept")
    parser.add_argument("--grpc-port", type=int, default=0, help="TCP port of gRPC; 0 takes a free one")
    parser.add_argument("--http-port", type=int, default=0, help="TCP port of HTTP; 0 takes a free one")
    parser.add_argument("--seed", type=Path, help="JSON file with accounts, actions, tokens and switches")
    parser.add_argument(
        "--journal", type=Path, help="file from which a killed sandbox knows again what it acknowledged"
    )
    options = parser.parse_args(argv)
    seed = None if options.seed is None else read_seed_file(options.seed)
    return serve(options.directory, options.grpc_port, options.http_port, seed, options.journal)


def _print(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
