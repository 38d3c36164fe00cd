"""What the operator asks of miners and super nodes over HTTP."""
