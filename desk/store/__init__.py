"""The store: one schema on SQLite and PostgreSQL, one way to write."""
