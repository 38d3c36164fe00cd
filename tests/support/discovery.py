"""What our packages define, found by importing them."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

from cybervein_protocol.encoding import Record

PACKAGES = [
    "cybervein_protocol",
    "cybervein_runtime",
    "cybervein_miner",
    "cybervein_supernode",
    "cybervein_client",
    "cybervein_command",
    "cybervein_up",
]


def modules() -> Iterator[str]:
    """Every module's name, but for `__main__`, which runs when it is imported."""
    for package in PACKAGES:
        path = importlib.import_module(package).__path__
        for found in pkgutil.walk_packages(path, f"{package}."):
            if not found.name.endswith("__main__"):
                yield found.name


def defined() -> Iterator[tuple[str, object]]:
    """What each module defines itself, private names too."""
    for module in modules():
        for name, value in vars(importlib.import_module(module)).items():
            if getattr(value, "__module__", None) == module:
                yield f"{module}.{name}", value


def records_of_ours() -> dict[str, type[Record]]:
    """Every kind of Record."""
    return {
        name: value
        for name, value in defined()
        if inspect.isclass(value) and issubclass(value, Record) and value is not Record
    }


def public_functions() -> dict[str, object]:
    """Every public function."""
    return {
        name: value
        for name, value in defined()
        if inspect.isfunction(value) and not value.__name__.startswith("_")
    }
