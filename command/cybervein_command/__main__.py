"""`python -m cybervein_command` is the `cybervein` command."""

from cybervein_command.app import main

main()
