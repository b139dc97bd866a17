"""Letters out: from the outbox to the smarthost, or into a Maildir."""
