"""Reading a file: any k shards of each segment, verified, raced, repaired from spares.

Duties: find the holders, fetch whole shards or just the stripes of a range, name miners that send
wrong bytes, write files that appear only when whole. Requirements: catalogue, super node (or the
holders last known), bulk transport.
"""

from cybervein_client.download.get import get_file
from cybervein_client.download.locate import Locator
from cybervein_client.download.read import FileReader
from cybervein_client.download.report import ReadFailure, ReadReport

__all__ = ["FileReader", "Locator", "ReadFailure", "ReadReport", "get_file"]
