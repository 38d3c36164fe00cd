"""What the sidecar tells, a room for each question; `registry` has them all in one list.

Names: prefix `cybervein_`, base units last, `_total` on counters only. Labels are few and bounded:
never a plot, shard, challenge or peer. Amounts are veins.
"""
