"""Which program a container runs: two versions may have one number until the next release."""

_SCRIPT = """
import hashlib, pathlib
packages = pathlib.Path("/opt/cybervein/lib/python3.11/site-packages")
(record,) = packages.glob("cybervein-*.dist-info/RECORD")
print(hashlib.sha256(record.read_bytes()).hexdigest())
"""

PROGRAM = ("python3", "-S", "-c", _SCRIPT)
"""Prints a digest over the digests of all our files, as they were installed into the image."""
