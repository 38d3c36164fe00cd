"""What the commands share."""

from collections.abc import Mapping

import typer
from cybervein_runtime.addresses import check_peer_url
from cybervein_runtime.console import Console
from cybervein_runtime.usage import given


def console_of(context: typer.Context) -> Console:
    """Where results go; the root command put it there."""
    console: Console = context.obj
    return console


def check_urls(urls: Mapping[str, str]) -> None:
    """Refuse what is no URL of a peer, by option; one that is empty was not given."""
    for option, url in urls.items():
        with given(option):
            if url:
                check_peer_url(url)
