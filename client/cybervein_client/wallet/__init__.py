"""The wallet's backup: everything of a home in one encrypted file."""

from cybervein_client.wallet.backup import restore_backup, write_backup

__all__ = ["restore_backup", "write_backup"]
