"""Shards: customers' bytes, kept so that an acknowledged one survives anything but its disk.

Duties: receive without trusting (`incoming`), remember durably (`index`), count what orders used
(`orders`), serve and prove (`store`), throw away slowly (`trash`), find rot first (`scrub`).
"""
