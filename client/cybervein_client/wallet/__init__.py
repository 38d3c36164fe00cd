"""The wallet's backup: everything of a home in one encrypted file."""

from cybervein_client.wallet.backup import restore_backup, write_backup
from cybervein_client.wallet.leftovers import set_aside

__all__ = ["restore_backup", "set_aside", "write_backup"]
