"""The table's columns: what every network has a number for."""

from typing import Annotated

import msgspec

from cybervein_protocol.encoding import U63, Amount, Record

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
