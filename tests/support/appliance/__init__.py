"""The appliance as a whole on a real node: the release, and a customer who never stops reading."""
