"""How long files stay: when their deals end, renewals, files that are kept, warnings in time.

Duties: hold the catalogue's ends true to the ledger; refuse what a renewal cannot do before a fee
is paid; renew kept files while the wallet can pay. Requirements: catalogue, super node, units.
"""
