"""What tells others at once that something has changed."""
