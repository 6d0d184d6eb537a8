"""What a notebook asks for: the same answers as the command line, as frames."""
