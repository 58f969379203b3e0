"""Connections through a gate pass bytes, break, stall, and are refused."""

import socket
import socketserver
import threading
from collections.abc import Iterator

import pytest

from chaos.gates import Gate, Gates
from chaos.stage import free_ports

LIMIT_S = 60.0
SOON_S = 0.3  # within which an echo that nothing holds back would have come; a slow one passes the test as well


class Echo(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(line)


class Echoes(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that breaks is what is tested."""


@pytest.fixture
def gates() -> Iterator[Gates]:
    made = Gates()
    yield made
    made.stop()


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def gate(gates: Gates, port: int) -> Iterator[Gate]:
    with Echoes(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield gates.before_port(port, server.server_address[1])
        server.shutdown()
        thread.join()


@pytest.fixture
def client(gate: Gate, port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), LIMIT_S) as connection:
        connection.sendall(b"before\n")
        assert connection.recv(100) == b"before\n"
        yield connection


def is_broken(connection: socket.socket) -> bool:
    try:
        return connection.recv(100) == b""
    except ConnectionError:
        return True


def test_a_cut_breaks_connections_and_new_ones_pass(gates: Gates, gate: Gate, client: socket.socket, port: int) -> None:
    gates.call(gate.cut)
    assert is_broken(client)
    with socket.create_connection(("127.0.0.1", port), LIMIT_S) as fresh:
        fresh.sendall(b"again\n")
        assert fresh.recv(100) == b"again\n"


def test_what_is_stalled_flows_on_afterwards(gates: Gates, gate: Gate, client: socket.socket) -> None:
    gates.call(gate.stall)
    client.sendall(b"held\n")
    client.settimeout(SOON_S)
    with pytest.raises(TimeoutError):
        client.recv(100)
    gates.call(gate.flow)
    client.settimeout(LIMIT_S)
    assert client.recv(100) == b"held\n"


def test_a_shut_gate_takes_nobody_until_it_is_opened(
    gates: Gates, gate: Gate, client: socket.socket, port: int
) -> None:
    gates.call(gate.shut)
    assert is_broken(client)
    with socket.create_connection(("127.0.0.1", port), LIMIT_S) as refused:
        assert is_broken(refused)
    gates.call(gate.open)
    with socket.create_connection(("127.0.0.1", port), LIMIT_S) as fresh:
        fresh.sendall(b"again\n")
        assert fresh.recv(100) == b"again\n"


def test_a_server_that_is_away_is_a_broken_connection(gates: Gates, port: int) -> None:
    gates.before_port(port, free_ports(1)[0])
    with socket.create_connection(("127.0.0.1", port), LIMIT_S) as connection:
        assert is_broken(connection)
