"""Migrations, in order of their numbers; each is frozen once it was released."""
