"""Threads for disks are used again, and one that hangs is waited for by nobody."""

import gc
import os
import threading
import weakref
from concurrent.futures import Future
from contextvars import ContextVar

import pytest
from cybervein_miner.disk import daemons
from cybervein_miner.disk.daemons import begin
from waiting import DEADLINE_SECONDS, until

SEEN: ContextVar[str] = ContextVar("SEEN", default="nothing")


class Bytes:
    """What a piece of work returns."""


@pytest.fixture(autouse=True)
def threads(monkeypatch: pytest.MonkeyPatch) -> daemons._Threads:
    """None is there yet."""
    made = daemons._Threads()
    monkeypatch.setattr(daemons, "_threads", made)
    return made


def rest(threads: daemons._Threads) -> None:
    """Return when a thread waits for more."""
    until(lambda: len(threads._idle), "a thread to be done", every_seconds=0.001)


def test_work_that_comes_after_other_work_is_done_by_the_same_thread(
    threads: daemons._Threads,
) -> None:
    done = []
    for number in range(20):
        done.append(begin(threading.current_thread, f"work {number}").result())
        rest(threads)
        assert done[-1].name == f"work {number}"
    assert len(set(done)) == 1
    assert done[0].daemon


def test_work_waits_for_no_thread_that_hangs() -> None:
    go_on = threading.Event()
    hanging = [begin(go_on.wait, "hangs") for _ in range(40)]
    assert begin(lambda: 1, "another").result(DEADLINE_SECONDS) == 1
    assert not any(each.done() for each in hanging)
    go_on.set()
    assert all(each.result(DEADLINE_SECONDS) for each in hanging)


def test_a_thread_that_waits_holds_nothing_of_what_it_has_done(threads: daemons._Threads) -> None:
    made = begin(Bytes, "make")
    kept = weakref.ref(made.result())
    rest(threads)
    del made
    gc.collect()
    assert kept() is None


def test_it_ends_when_no_work_comes(
    threads: daemons._Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemons, "IDLE_SECONDS", 0.001)
    worker = begin(threading.current_thread, "short").result()
    until(lambda: not worker.is_alive(), "its end", every_seconds=0.001)
    assert threads._idle == []
    assert begin(threading.current_thread, "next").result() is not worker


def test_an_error_is_for_who_asked_and_the_next_work_sees_nothing_of_the_last(
    threads: daemons._Threads,
) -> None:
    def fail() -> None:
        SEEN.set("something")
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        begin(fail, "fail").result()
    rest(threads)
    assert begin(SEEN.get, "look").result() == "nothing"


def test_what_was_cancelled_before_it_began_is_not_done() -> None:
    future: Future[None] = Future()
    assert future.cancel()
    daemons._run(future, lambda: pytest.fail("it was cancelled"))
    assert begin(lambda: 2, "next").result() == 2


def test_a_forked_process_starts_threads_of_its_own() -> None:
    assert begin(lambda: 1, "before").result() == 1
    child = os.fork()
    if child == 0:
        daemons._threads.forget()  # as the module's own are, by its hook
        os._exit(0 if begin(lambda: 3, "after").result(DEADLINE_SECONDS) == 3 else 1)
    assert os.waitpid(child, 0)[1] == 0
