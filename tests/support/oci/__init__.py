"""The project's image in tests: built once from `Dockerfile`, read and run as users would.

| fixture | scope | gives |
| --- | --- | --- |
| `image` | session | `Archive`: the OCI archive that `scripts/image/build.py` made or had |
| `container` | session | `Container`: its files under runc, as in a restricted pod |
"""
