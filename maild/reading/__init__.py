"""Bytes of a mail to a Letter: pure reading, and the worker processes around it."""
