"""Storing a file: read, encode, order, upload, verify, commit, in bounded memory, resumable.

Duties: turn a source into segments, segments into placed and receipted shards, and deals into
active ones; journal every acknowledged step. Requirements: catalogue, super node, bulk transport.
"""

from cybervein_client.upload.file_source import FileSource
from cybervein_client.upload.offer import Offer
from cybervein_client.upload.options import Ended, PutOptions, check_name
from cybervein_client.upload.put import Uploader
from cybervein_client.upload.resuming import Note
from cybervein_client.upload.source import Source, StreamSource

__all__ = [
    "Ended",
    "FileSource",
    "Note",
    "Offer",
    "PutOptions",
    "Source",
    "StreamSource",
    "Uploader",
    "check_name",
]
