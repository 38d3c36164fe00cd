"""One disk: the guard around its I/O, and what an error means for it, as `trouble` judges.

`presence` says whether it is there, `allotment` how much it takes.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.errors import StorageError
from cybervein_runtime.reasons import FULL

from cybervein_miner.disk import trouble
from cybervein_miner.disk.allotment import Allotment
from cybervein_miner.disk.calls import ANSWER_SECONDS, Call
from cybervein_miner.disk.read_test import probe_reads
from cybervein_miner.disk.trouble import FailedFiles


@dataclass(eq=False, slots=True)
class Disk(Allotment):
    """A disk in use."""

    failures: FailedFiles = field(default_factory=FailedFiles)
    late: str = ""
    """What the last space proof had to do without, in words."""

    @property
    def io_errors(self) -> int:
        """Files that failed since the disk was last found well."""
        return len(self.failures.files)

    @property
    def lateness(self) -> str:
        """How it keeps the miner waiting, in words; "" while it answers in time."""
        return self.calls.overdue() or (self.late if self.there else "")

    def still_there(self) -> None:
        """A cheap look while running: a pulled cable or another mount changes the state.

        One that failed in use is let rest: its marker may well be read, and its next shard not.
        From time to time it is tried: it is back once it takes a write and is read well.
        """
        if self.state is DiskState.QUARANTINED and self.io_errors and not self._well_again():
            return
        self.check()

    def _well_again(self) -> bool:
        if not self.failures.due:
            return False
        with self.calls.under_way("try it again", None):
            well = self._marker_now() is not None and self._takes_a_write() and self._reads_well()
        if not well:
            self.failures.wait()
        return well

    def _reads_well(self) -> bool:
        known = self.failures.files | self.failures.given_up
        test = probe_reads(known, [self.folder(name) for name in ("plots", "shards")])
        self.failures.tested(test)
        return test.passed

    @contextmanager
    def guard(
        self, doing: str, seconds: float | None = ANSWER_SECONDS, file: Path | None = None
    ) -> Iterator[Call]:
        """Run disk I/O: an OSError changes this disk's state and comes out as StorageError.

        It may take `seconds` between two beats of what is yielded (None: any time); while it takes
        longer, the disk counts as one that hangs. `file` is what an error is of that names none, as
        those of open files do.
        """
        if not self.here():
            raise StorageError(f"disk {self.path}: {self.refusal()}; cannot {doing}")
        place = self.path
        try:
            with self.calls.under_way(doing, seconds) as call:
                yield call
        except InterruptedError:
            raise  # our own trouble: not the disk's
        except FileNotFoundError as error:
            self.check()
            if self.readable and self._was_looked_for_here(error, place):
                raise  # the file's own trouble
            why = f"it was followed from {place}" if self.readable else self.refusal()
            raise StorageError(f"disk {self.path}: {why}; cannot {doing}, try again") from error
        except StorageError as error:
            self._note_refusal(error.__cause__)
            raise
        except OSError as error:
            if error.filename is None and file is not None:
                error.filename = str(file)
            self._note(error, doing)
            raise StorageError(
                f"disk {self.path}: cannot {doing}: {error.strerror or error}"
            ) from error

    def _was_looked_for_here(self, error: FileNotFoundError, place: Path) -> bool:
        """Whether the path that does not exist is this disk's, and not where it was before."""
        named = isinstance(error.filename, str | os.PathLike)
        return self.path == place and (not named or Path(error.filename).is_relative_to(place))

    def _note_refusal(self, error: BaseException | None) -> None:
        """Whoever wrote a file of this disk has worded its error; full is full all the same."""
        if not (isinstance(error, OSError) and isinstance(error.filename, str | os.PathLike)):
            return
        if Path(error.filename).is_relative_to(self.path):
            self._note_full(error)

    def _note_full(self, error: OSError) -> None:
        if error.errno in FULL:
            self.fullness.refused(error, self._gauged().space)

    def _note(self, error: OSError, doing: str) -> None:
        self._note_full(error)
        files = self.failures.add(error, doing)
        state = trouble.judge(error, files, self._takes_a_write)
        if state is DiskState.READ_ONLY:
            self.state, self.reason = DiskState.READ_ONLY, f"{self.path} became read-only"
        elif state is DiskState.QUARANTINED and self.state is not DiskState.QUARANTINED:
            self.failures.files = self.failures.files or {doing}  # there is something to try again
            self.failures.wait()
            self.quarantine(f"{files} files with I/O errors, last: {error.strerror}: {doing}")

    def _takes_a_write(self) -> bool:
        return trouble.takes_a_write(self.folder("tmp") / "probe", self.miner)

    def quarantine(self, reason: str) -> None:
        """Take this disk out of service until it is well again, or `disk add` has it checked."""
        self.state, self.reason = DiskState.QUARANTINED, reason
        self.lock.let_go()
