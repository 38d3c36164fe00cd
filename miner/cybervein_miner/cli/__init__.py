"""The miner's commands, each in its module: `mine` starts without what `disk` imports.

Modules of heavy imports (the web server, the plotter) are imported when their command runs.
"""
