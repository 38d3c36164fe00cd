"""Every metric of the sidecar: name, type, labels, help, source, and where its values stand.

The one list: the collector walks it, docs/metrics.md is compared with it by a test, and so is the
live page.
"""

from typing import Final

from cybervein_miner.sidecar.metrics.audits import AUDITS
from cybervein_miner.sidecar.metrics.contribution import CONTRIBUTION
from cybervein_miner.sidecar.metrics.disks import DISKS
from cybervein_miner.sidecar.metrics.host import MACHINE
from cybervein_miner.sidecar.metrics.plotting import PLOTTING
from cybervein_miner.sidecar.metrics.reward import REWARD
from cybervein_miner.sidecar.metrics.scrape import DURATION, UP
from cybervein_miner.sidecar.metrics.storage import STORAGE

METRICS: Final = (*CONTRIBUTION, *REWARD, *PLOTTING, *STORAGE, *AUDITS, *DISKS, *MACHINE)
ALL: Final = (UP, DURATION, *METRICS)
