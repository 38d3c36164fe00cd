"""The catalogue's operations, a room for each of its tables: each is one synced transaction."""

from cybervein_client.catalogue.deal_table import DealTable
from cybervein_client.catalogue.facts import FactTable
from cybervein_client.catalogue.file_table import FileTable
from cybervein_client.catalogue.segment_table import SegmentTable
from cybervein_client.catalogue.sources import SourceTable


class Catalogue(FileTable, SourceTable, DealTable, SegmentTable, FactTable):
    """One open catalogue; safe to use from several threads of one process."""
