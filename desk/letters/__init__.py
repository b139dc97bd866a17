"""Letters out: composed, fixed to the byte, without any I/O."""
