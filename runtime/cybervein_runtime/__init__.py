"""CyberVein runtime: the shell that every process shares (files, keys, logs, signed HTTP).

It imports the protocol only. Decisions live in the protocol and the roles, never here.
"""
