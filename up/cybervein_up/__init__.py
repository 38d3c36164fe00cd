"""`cybervein up`: a whole network on this machine, as child processes of one terminal.

It imports no other part of CyberVein: super node, miners and sidecars are started through their own
commands and seen through their HTTP interfaces, as anybody else would.
"""
