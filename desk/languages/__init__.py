"""Which language for whom, and how it is written."""
