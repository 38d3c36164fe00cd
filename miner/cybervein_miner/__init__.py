"""CyberVein miner."""
