"""How long is paid for: the options `--for` and `--epochs`, and how an offer is said."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from cybervein_protocol.amounts import coins
from cybervein_runtime.console import escape
from cybervein_runtime.durations import duration_text
from cybervein_runtime.usage import given

from cybervein_command.context import console_of, decimals_of, home_of

if TYPE_CHECKING:
    from cybervein_client.lifetimes import NetworkTime
    from cybervein_client.upload import Offer

Epochs = Annotated[
    int | None,
    typer.Option(min=1, help="How many epochs to pay for. Default: 30 days in main, else 100."),
]
KeptEpochs = Annotated[
    int | None,
    typer.Option(min=1, help="Epochs that each renewal pays for. Default: those paid for so far."),
]
Duration = Annotated[
    str | None,
    typer.Option("--for", help="How long to pay for, in place of --epochs: 12h, 30d, 2w, 1y."),
]


def term(ctx: typer.Context, epochs: int | None, duration: str | None) -> int | None:
    """The epochs that the two options ask for, None where neither is given."""
    from cybervein_client.lifetimes import epochs_of, parse_duration  # noqa: PLC0415 -- for help

    if duration is None:
        return epochs
    if epochs is not None:
        raise typer.BadParameter("--for and --epochs exclude each other; give one of them")
    with given("--for"):
        seconds = parse_duration(duration)
    return epochs_of(seconds, home_of(ctx).network().genesis.preset.epoch_seconds)


def say_offer(ctx: typer.Context, offer: "Offer", time: "NetworkTime") -> None:
    """Price, duration and end on standard error, before anything is paid; JSON with `--json`."""
    from cybervein_client.lifetimes import date_text  # noqa: PLC0415 -- as above

    ends = time.begin_of(time.epoch + offer.epochs)
    if console_of(ctx).as_json:
        sys.stderr.write(json.dumps({"offer": offer_document(offer, ends)}) + "\n")
        return
    price = f"{coins(offer.price or 0, decimals_of(ctx))} coins"
    if offer.price is None:
        price = f"{coins(offer.price_per_gib, decimals_of(ctx))} coins per GiB, and at most "
        price += f"{coins(offer.ahead, decimals_of(ctx))} held back until the end"
        if offer.earlier:
            price += f", and {coins(offer.earlier, decimals_of(ctx))} coins for what was begun"
    lasting = duration_text(offer.epochs * time.epoch_seconds)
    again = "it has ended and is stored again, " if offer.again else ""
    console_of(ctx).say(
        f"{escape(offer.name)}: {again}{offer.code.k}/{offer.code.n} for {lasting}, until about "
        f"{date_text(ends)}: {price}"
    )


def offer_document(offer: "Offer", ends: float) -> dict[str, Any]:
    """An offer for `--json`; amounts in veins, `ends` in unix seconds."""
    return {
        "name": offer.name,
        "size": offer.size,
        "code": f"{offer.code.k}/{offer.code.n}",
        "epochs": offer.epochs,
        "ends": ends,
        "price": offer.price,
        "price_per_gib": offer.price_per_gib,
        "earlier": offer.earlier,
        "ahead": offer.ahead,
        "again": offer.again,
    }
