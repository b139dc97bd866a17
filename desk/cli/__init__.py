"""The `desk` command: every change and every list of the desk from a shell."""
