"""What a sidecar's log tells of a source that falls silent: the change, not each scrape."""

from cybervein_miner.sidecar.metric import MINER, SUPER_NODE
from cybervein_miner.sidecar.sources import Sources
from cybervein_runtime.trust import Trust
from structlog.testing import capture_logs

NOBODY = "http://127.0.0.1:9"


async def test_a_source_that_is_away_is_one_event_however_often_it_is_asked() -> None:
    sources = Sources(lambda: NOBODY, NOBODY, Trust())
    with capture_logs() as logs:
        for _ in range(3):
            answers = await sources.ask()
    await sources.close()
    said = [(each["event"], each["source"]) for each in logs]
    silent = "source does not answer"
    assert said == [(silent, MINER), (silent, SUPER_NODE)]
    assert "Connection refused" in answers[MINER].error
