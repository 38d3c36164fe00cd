"""The prover: every epoch's space proof, and answers to commit audits.

`space` reads one row of each active plot, `commits` replays drawn plots, `epochs` is the loop that
sees epochs begin.
"""
