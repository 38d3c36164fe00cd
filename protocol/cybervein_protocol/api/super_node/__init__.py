"""Documents of the super node's HTTP interface (docs/wire.md section 6), a module for each domain.

Keys are addresses, roots and digests hex, CIDs multibase base32, amounts whole veins, times unix
seconds.
"""
