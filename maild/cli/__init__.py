"""What the `desk` command can do with mail and with a whole home."""
