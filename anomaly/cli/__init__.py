"""The command line: thin, and late with its imports."""
