"""Documents of the miner's HTTP interface (docs/wire.md section 5), a module for each domain."""
