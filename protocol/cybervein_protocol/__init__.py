"""CyberVein protocol."""
