"""Who has how much: money that moves and is never lost."""
