"""`python -m cybervein_client` is the `cybervein` command."""

from cybervein_client.cli import main

main()
