"""The screen of the technicians: keys in, rows out."""
