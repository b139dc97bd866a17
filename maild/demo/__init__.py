"""A desk to look at: made-up people write real mail to it over SMTP, and two technicians answer some."""
