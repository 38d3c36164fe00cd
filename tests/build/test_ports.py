"""Ports that tests give to programs: no two programs get one, in one worker of pytest or in two."""

import socket

import ports
import pytest


def test_no_port_is_given_twice_while_there_are_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_given", set())
    given = [port for _ in range(50) for port in ports.free_ports(3)]
    assert len(set(given)) == 150


def test_two_workers_never_choose_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "3")
    seen = []
    for worker in range(3):
        monkeypatch.setattr(ports, "_given", set())
        monkeypatch.setenv("PYTEST_XDIST_WORKER", f"gw{worker}")
        seen.append({port for _ in range(20) for port in ports.free_ports(2)})
    assert sum(map(len, seen)) == len(set.union(*seen)) == 120


def test_what_is_taken_is_not_given_and_few_that_are_left_are_given_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ports, "_given", set())
    with socket.socket() as taken:
        [busy] = ports.free_ports(1)
        taken.bind(("127.0.0.1", busy))
        monkeypatch.setattr(ports, "CANDIDATES", range(busy, busy + 1))
        monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "1")
        monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
        with pytest.raises(RuntimeError, match="only 0 free ports"):
            ports.free_ports(1)
    assert ports.free_ports(1) == [busy]
    assert ports.free_ports(1) == [busy]
