"""The core: what a ticket is, what may happen to it, and what has happened. No wire, no screen."""
