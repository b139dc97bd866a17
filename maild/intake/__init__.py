"""Ways in: each hands the bytes of a mail and its envelope to the spool, and says yes only after COMMIT."""
