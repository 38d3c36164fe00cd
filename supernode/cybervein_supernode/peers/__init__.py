"""The other side: miners as seen over their HTTP interface (docs/wire.md section 5)."""
