"""Disks: markers, free-space floors, reservations, quarantine of one disk and never the machine.

Duties: know that the directory is the very disk it was (`marker`, `device`), account for its space
(`disk`), choose where things go and change the set while running (`rack`).
"""
