"""The one door to data/processed."""
