"""CyberVein supernode."""
