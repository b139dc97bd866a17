"""The daemon: mail in, mail out, and the passing of time."""
