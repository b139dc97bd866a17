"""The readers for screens, commands and reports: nouns, never writing."""
