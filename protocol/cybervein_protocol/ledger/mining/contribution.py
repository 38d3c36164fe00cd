"""What a contribution is worth: weights, averages and shares, in integers that round down.

weight_i = N_i · M_i: N_i is measured space, M_i measured bandwidth, capped at M_sat. Either one
zero gives zero, and below the preset's threshold it counts as zero. Weights are in plots times
bytes per second, so that they fit 63 bits and the threshold means the same in every preset.
"""

from collections.abc import Sequence

from cybervein_protocol.names import Veins
from cybervein_protocol.presets import Preset
from cybervein_protocol.space.measure import measured_space

_ROW_BYTES = 512


def plot_bytes(preset: Preset) -> int:
    """Bytes of one plot: 2^b rows."""
    return _ROW_BYTES << preset.plot_rows_log2


def space_bytes(history: Sequence[int], registered: int, preset: Preset) -> int:
    """N_i: the window's mean of the estimates, capped by the plots registered now.

    A miner without an accepted proof in the latest epoch has 0: it may be gone.
    """
    if not history or history[-1] == 0:
        return 0
    return measured_space(history, preset.space_window_epochs, registered, plot_bytes(preset))


def average_bandwidth(average: int | None, sample: int, preset: Preset) -> int:
    """M_i after a measurement: a slow average of samples, each capped at M_sat.

    Capping the sample (not only the average) keeps one burst from carrying many epochs. The first
    measurement is taken as it is.
    """
    capped = min(sample, preset.bandwidth_saturation_bytes_per_second)
    if average is None:
        return capped
    return average + ((capped - average) >> preset.bandwidth_average_shift)


def weight(space: int, bandwidth: int, preset: Preset) -> int:
    """N_i · M_i in plots times bytes per second; 0 below the threshold."""
    saturated = min(bandwidth, preset.bandwidth_saturation_bytes_per_second)
    product = space * saturated // plot_bytes(preset)
    return product if product >= preset.weight_threshold else 0


def reward_pool(preset: Preset) -> Veins:
    """Veins that one epoch's contributions share. The winner's part waits for winners."""
    return Veins(preset.emission_veins_per_epoch * (1000 - preset.winner_per_mille) // 1000)


def reward_share(part: int, total: int, preset: Preset) -> Veins:
    """Veins of one contribution of weight `part`; what rounding leaves is not minted."""
    return Veins(reward_pool(preset) * part // total if total else 0)
