"""A file whose deals have ended is told as that: by its date, with what to do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from cybervein_protocol.errors import ConflictError, UnavailableError

from cybervein_client.catalogue import FileRow
from cybervein_client.lasting.ends import EndWatch
from cybervein_client.lasting.life import FileLife
from cybervein_client.lifetimes import Life, date_text


def require_alive(life: FileLife) -> None:
    """Raise ConflictError, with what to do, where deals of the file have ended."""
    if life.life is Life.EXPIRED:
        raise ConflictError(ended_text(life))


def ended_text(life: FileLife) -> str:
    """What happened to a file whose deals have ended, and what to do."""
    file, ends = life.file, life.ends
    closed = life.expires is not None and life.expires > life.time.epoch
    when = "was closed before its time" if closed or ends is None else f"ended on {date_text(ends)}"
    what = "its deal" if len(life.deals) == 1 else f"a deal of {len(life.deals)}"
    return (
        f"{file.name} is not stored any more: {what} {when}, its miners let it go; store it again "
        f"with `cybervein put {file.source} --name {file.name}`, or forget it with "
        f"`cybervein rm {file.name}`"
    )


@asynccontextmanager
async def explained(watch: EndWatch, file: FileRow) -> AsyncIterator[None]:
    """Around a read: raises ConflictError before and after it if the file's deals have ended.

    While no super node answers nothing is known of that, and the read is tried.
    """
    with suppress(UnavailableError):
        [life] = await watch.look([file])
        if life.ended or not watch.estimated:
            require_alive(life)
    try:
        yield
    except UnavailableError:
        with suppress(UnavailableError):
            require_alive(await watch.ask(file))
        raise
