"""What the miner counts while it runs: from zero at each start, as Prometheus counters may."""

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Tally:
    """Counters since the start; bytes of bodies, not of headers."""

    uploads: int = 0
    upload_bytes: int = 0
    upload_failures: int = 0
    downloads: int = 0
    download_bytes: int = 0
    download_failures: int = 0
    deletes: int = 0
    refused: int = 0
    audits: int = 0
    audit_chunks: int = 0
    audit_chunks_lost: int = 0
    plot_reads: int = 0
    plot_read_bytes: int = 0
    proofs_accepted: int = 0
    proofs_refused: int = 0
    proofs_missed: int = 0
    plots_made: int = 0
    plot_bytes_made: int = 0
    plots_failed: int = 0
    outboards_mended: int = 0
    commits_accepted: int = 0
    commits_refused: int = 0

    def counters(self) -> dict[str, int]:
        """All counters by name."""
        return asdict(self)
