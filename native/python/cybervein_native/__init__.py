"""Rust implementations of CyberVein's hot functions; the truth is `cybervein_protocol`."""

from cybervein_native._native import *  # noqa: F403 -- the extension defines its own public names
