"""The ledger: units, blocks and the state machine, pure and deterministic (docs/ledger.md).

| room       | what is in it                                                          |
| ---------- | ---------------------------------------------------------------------- |
| `state`    | what is remembered: rows, overlays, the tree that commits to them      |
| `units`    | what is signed: a unit, its body, the genesis it is of                 |
| `accounts` | money, and `transfer`                                                  |
| `mining`   | miners, plots under bond, measured contribution                        |
| `storage`  | deals and shards                                                       |
| `epochs`   | `epoch.close` and the beacon                                           |
| `chain`    | the registry of kinds, the border, blocks, the state machine, replay   |

Each uses those above it in this table. Nothing here reads a clock, draws randomness, uses a float
or iterates in an order that is not defined.
"""
