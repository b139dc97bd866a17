"""Tests that drive real servers on loopback."""
