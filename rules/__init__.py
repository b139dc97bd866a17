"""The rule language: text and facts in, decisions out. Pure: it knows no tickets, no clock, no table."""
