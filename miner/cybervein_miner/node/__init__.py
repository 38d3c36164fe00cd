"""A whole miner: settings, keys, its parts put together, its start and its graceful stop."""
