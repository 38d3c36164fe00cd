"""What a customer agrees to unless told otherwise; apart, as `--help` shows it without a client."""

from typing import Final

EPOCHS_DEFAULT: Final = 100
