"""CyberVein operator."""
