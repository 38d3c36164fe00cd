"""Coding rates of zfec and pyeclib, as JSON; run with the peers' Python by bench/races/coding.py.

Arguments: bytes per call, repetitions, then codes as k/n. Prints {peer: {code: {encode, decode}}}
in MiB of data per second, medians.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from typing import TYPE_CHECKING

import zfec
from pyeclib.ec_iface import ECDriver, ECDriverError

if TYPE_CHECKING:
    from collections.abc import Callable

MIB = 1024 * 1024
BACKENDS = ("isa_l_rs_vand", "liberasurecode_rs_vand")


def rate(call: Callable[[], object], size: int, repetitions: int) -> float:
    call()
    seconds = []
    for _ in range(repetitions):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return size / MIB / statistics.median(seconds)


def zfec_rates(k: int, n: int, size: int, repetitions: int) -> dict[str, float]:
    width = size // k
    data = [os.urandom(width) for _ in range(k)]
    encoder, decoder = zfec.Encoder(k, n), zfec.Decoder(k, n)
    shares = encoder.encode(data)
    last = list(range(n - k, n))
    kept = [shares[i] for i in last]
    assert decoder.decode(kept, last) == data
    return {
        "encode": rate(lambda: encoder.encode(data), size, repetitions),
        "decode": rate(lambda: decoder.decode(kept, last), size, repetitions),
    }


def pyeclib_rates(k: int, n: int, size: int, repetitions: int) -> dict[str, float]:
    """The fastest backend there is; decode with as many data fragments lost as it can bear."""
    data = os.urandom(size)
    found = {}
    for backend in BACKENDS:
        try:
            driver = ECDriver(k=k, m=n - k, ec_type=backend)
            kept = driver.encode(data)[n - k :]
            if driver.decode(kept) != data:
                continue
        except ECDriverError:
            continue
        found[backend] = {
            "encode": rate(lambda d=driver: d.encode(data), size, repetitions),
            "decode": rate(lambda d=driver, s=kept: d.decode(s), size, repetitions),
        }
    return max(found.values(), key=lambda rates: rates["encode"])


def main() -> None:
    size, repetitions = int(sys.argv[1]), int(sys.argv[2])
    result: dict[str, dict[str, dict[str, float]]] = {"zfec": {}, "pyeclib": {}}
    for code in sys.argv[3:]:
        k, n = map(int, code.split("/"))
        result["zfec"][code] = zfec_rates(k, n, size, repetitions)
        result["pyeclib"][code] = pyeclib_rates(k, n, size, repetitions)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
