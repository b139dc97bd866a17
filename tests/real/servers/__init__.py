"""Throw-away servers for tests: each in its own folder, on a loopback port, ended by its process id."""
