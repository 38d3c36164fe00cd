"""This machine's block devices and network interfaces."""

from typing import Final

from cybervein_miner.sidecar.metric import HOST, counter, each, gauge

MACHINE: Final = (
    counter("host_disk_read_bytes", HOST, "Bytes read, by block device.",
            each("disks", ("device",), "read_bytes"), "device"),
    counter("host_disk_written_bytes", HOST, "Bytes written, by block device.",
            each("disks", ("device",), "written_bytes"), "device"),
    counter("host_disk_busy_seconds", HOST, "Time busy, by block device.",
            each("disks", ("device",), "busy_seconds"), "device"),
    counter("host_network_received_bytes", HOST, "Bytes received, by interface.",
            each("nics", ("interface",), "received_bytes"), "interface"),
    counter("host_network_sent_bytes", HOST, "Bytes sent, by interface.",
            each("nics", ("interface",), "sent_bytes"), "interface"),
    counter("host_network_errors", HOST, "Errors and drops, by interface.",
            each("nics", ("interface",), "errors"), "interface"),
    gauge("host_network_speed_bytes_per_second", HOST, "Link speed, by interface.",
          each("nics", ("interface",), "speed_bytes_per_second"), "interface"),
)  # fmt: skip
