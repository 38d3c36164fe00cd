"""CyberVein client."""
