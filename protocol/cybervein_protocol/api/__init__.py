"""The JSON documents of every HTTP interface (docs/wire.md, sections 5 and 6).

Servers build these types, clients decode answers into them, and OpenAPI follows from them, so that
a field is written in one place. `document` is their base, `decode` the one way to read them,
`errors` and `probes` what all servers answer; each server's own documents are in its package.
"""
