"""Every number of the protocol, in one typed table: same code, other numbers.

`test` is small enough for unit tests, `local` runs a network on one machine, `main` is the network.
The numbers of `main` are derived in docs/adr/0003-main-preset.md. A genesis carries its whole
preset, so a network is bound to its numbers and an override gives another network.
"""

from typing import Annotated

import msgspec

from cybervein_protocol.encoding import U63, Amount, Record
from cybervein_protocol.errors import UnknownError
from cybervein_protocol.names import Veins

Small = Annotated[int, msgspec.Meta(ge=1, le=1 << 32)]


class Preset(Record):
    """Numbers of one network. Amounts are veins, sizes bytes, times seconds or epochs."""

    name: str
    # Proof of space
    plot_rows_log2: Small  # b: a plot is 2^b rows of 512 bytes
    plot_layers: Small  # k
    batch_plots_max: Small
    commit_plots_drawn: Small  # plots of a batch that a commit audit replays
    commit_rows_drawn: Small  # q: rows of each drawn plot
    answers_max: Small  # m: smallest qualities sent per epoch
    space_window_epochs: Small
    bond_per_plot_veins: Amount
    bond_due_plots_max: Small  # plots that may be bonded from later rewards
    # Time
    epoch_seconds: Small
    proof_deadline_seconds: Small
    grace_epochs: Small  # epochs offline before repair
    commit_deadline_epochs: Small  # epochs to answer a commit audit
    # Bandwidth
    bandwidth_saturation_bytes_per_second: U63  # M_sat
    bandwidth_reads_max: Small
    bandwidth_read_bytes: Small
    bandwidth_test_seconds_max: Small
    bandwidth_average_shift: Small  # M += (new - M) >> shift
    weight_threshold: U63  # N*M below this earns nothing
    # Possession
    audit_samples: Small
    audit_penalty_veins: Amount
    # Storage
    segment_chunks: Small
    deal_segments_max: Small
    deal_epochs_max: Small
    deal_open_epochs: Small  # an open that is not committed by then refunds
    order_epochs: Small  # life of an order
    price_veins_per_kib_epoch: Amount
    ingress_veins_per_kib: Amount  # bandwidth part of the upload fee
    commission_per_mille: Annotated[int, msgspec.Meta(ge=0, le=1000)]  # burnt from storage fees
    # Ledger
    coin_decimals: Small
    emission_veins_per_epoch: Amount
    winner_per_mille: Annotated[int, msgspec.Meta(ge=0, le=1000)]
    fee_veins_per_byte: Amount
    unit_bytes_max: Small
    block_units_max: Small
    miner_units_per_epoch: Small  # fee-free units of one miner per epoch
    evidence_epochs: Small  # how long super nodes keep evidence
    declared_domains: bool  # failure domains may be declared instead of derived from addresses


_MIB = 1 << 20
_COIN = 10**9

TEST = Preset(
    name="test",
    plot_rows_log2=10,
    plot_layers=4,
    batch_plots_max=64,
    commit_plots_drawn=32,
    commit_rows_drawn=4,
    answers_max=8,
    space_window_epochs=4,
    bond_per_plot_veins=Veins(_COIN // 1000),
    bond_due_plots_max=64,
    epoch_seconds=4,
    proof_deadline_seconds=2,
    grace_epochs=1,
    commit_deadline_epochs=4,
    bandwidth_saturation_bytes_per_second=4 * _MIB,
    bandwidth_reads_max=16,
    bandwidth_read_bytes=64 * 1024,
    bandwidth_test_seconds_max=1,
    bandwidth_average_shift=1,
    weight_threshold=1,
    audit_samples=16,
    audit_penalty_veins=Veins(_COIN // 1000),
    segment_chunks=256,
    deal_segments_max=8,
    deal_epochs_max=10_000,
    deal_open_epochs=16,
    order_epochs=8,
    price_veins_per_kib_epoch=Veins(10),
    ingress_veins_per_kib=Veins(10),
    commission_per_mille=50,
    coin_decimals=9,
    emission_veins_per_epoch=Veins(100 * _COIN),
    winner_per_mille=100,
    fee_veins_per_byte=Veins(10),
    unit_bytes_max=1 << 20,
    block_units_max=1024,
    miner_units_per_epoch=64,
    evidence_epochs=64,
    declared_domains=True,
)

LOCAL = msgspec.structs.replace(
    TEST,
    name="local",
    plot_rows_log2=16,
    plot_layers=8,
    batch_plots_max=256,
    commit_rows_drawn=8,
    answers_max=16,
    space_window_epochs=6,
    epoch_seconds=20,
    proof_deadline_seconds=6,
    grace_epochs=1,
    bandwidth_saturation_bytes_per_second=12 * _MIB,
    bandwidth_read_bytes=256 * 1024,
    audit_samples=64,
    deal_segments_max=64,
    evidence_epochs=256,
)

MAIN = msgspec.structs.replace(
    LOCAL,
    name="main",
    plot_rows_log2=22,
    plot_layers=8,
    batch_plots_max=1024,
    commit_plots_drawn=32,
    commit_rows_drawn=32,
    answers_max=64,
    space_window_epochs=96,
    bond_per_plot_veins=Veins(_COIN // 10),
    bond_due_plots_max=512,
    epoch_seconds=900,
    proof_deadline_seconds=180,
    grace_epochs=24,
    commit_deadline_epochs=96,
    bandwidth_saturation_bytes_per_second=5 * _MIB,
    bandwidth_reads_max=64,
    bandwidth_read_bytes=_MIB,
    bandwidth_test_seconds_max=4,
    bandwidth_average_shift=4,
    weight_threshold=1 * _MIB,
    audit_samples=460,
    audit_penalty_veins=Veins(_COIN),
    deal_epochs_max=350_640,
    deal_open_epochs=96,
    order_epochs=96,
    price_veins_per_kib_epoch=Veins(1),
    ingress_veins_per_kib=Veins(10),
    evidence_epochs=2_880,
    declared_domains=False,
)

PRESETS = {preset.name: preset for preset in (TEST, LOCAL, MAIN)}


def preset(name: str) -> Preset:
    """The preset of that name. Raises UnknownError."""
    try:
        return PRESETS[name]
    except KeyError:
        raise UnknownError(f"preset {name!r}: expected one of {', '.join(PRESETS)}") from None
