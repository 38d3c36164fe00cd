"""Daemon threads that are used again: a new one costs more than most of the work it would do.

One that is done waits a while for more. Work never waits for a thread, so those that a disk holds
up take nothing from others; the interpreter does not wait for them at its end.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import Context
from functools import partial
from queue import Empty, SimpleQueue
from typing import Final, TypeVar

T = TypeVar("T")
IDLE_SECONDS: Final = 10.0
_Job = tuple[str, Callable[[], None]]
_Inbox = SimpleQueue[_Job]


def begin(work: Callable[[], T], name: str) -> Future[T]:
    """Start `work` at once in a daemon thread that has nothing else to do."""
    future: Future[T] = Future()
    _threads.start((name, partial(_run, future, work)))
    return future


def _run(future: Future[T], work: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 -- handed to whoever waits
        future.set_exception(error)
    else:
        future.set_result(result)


class _Threads:
    """Inboxes of those that are done, the last one on top: those beneath end after a while."""

    def __init__(self) -> None:
        self._idle: list[_Inbox] = []
        self._lock = threading.Lock()

    def forget(self) -> None:
        """None is there."""
        self._idle, self._lock = [], threading.Lock()

    def start(self, job: _Job) -> None:
        """In the thread that was done last, or in a new one."""
        with self._lock:
            inbox = self._idle.pop() if self._idle else None
        if inbox is not None:
            inbox.put(job)
            return
        inbox = SimpleQueue()
        inbox.put(job)
        threading.Thread(target=self._serve, args=(inbox,), name=job[0], daemon=True).start()

    def _serve(self, inbox: _Inbox) -> None:
        while self._work_off(inbox):
            with self._lock:
                self._idle.append(inbox)

    def _work_off(self, inbox: _Inbox) -> bool:
        """Whether there was work; in a frame of its own, so that one who waits holds none of it."""
        job = self._next(inbox)
        if job is None:
            return False
        threading.current_thread().name, work = job
        Context().run(work)
        return True

    def _next(self, inbox: _Inbox) -> _Job | None:
        """None where no work came, and none can come any more."""
        while True:
            try:
                return inbox.get(timeout=IDLE_SECONDS)
            except Empty:
                with self._lock:
                    if inbox in self._idle:  # else it is about to be put in
                        self._idle.remove(inbox)
                        return None


_threads = _Threads()
os.register_at_fork(after_in_child=_threads.forget)  # a child has none of them
