"""The HTTP interface of a super node (docs/wire.md section 6)."""
