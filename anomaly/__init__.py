"""Finds routes on which sanctioned goods may go round, in public trade statistics."""
