"""Plots: making them, knowing which are good, registering them, and giving their space back.

Duties: how many belong where (`policy`, pure), make one (`making`), the list of all (`inventory`),
batches and retirements on the ledger (`batches`), the loop that keeps disks filled (`plotter`).
"""
