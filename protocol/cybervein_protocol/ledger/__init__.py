"""The ledger: units, blocks and the state machine, pure and deterministic (docs/ledger.md).

`unit` and `bodies` are what is signed, `rows` what is remembered, `machine` the rules between
them; `smt` commits to the rows, `replay` repeats a chain. Nothing here reads a clock, draws
randomness, uses a float or iterates in an order that is not defined.
"""
