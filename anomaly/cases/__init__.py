"""flags → cases: a route with all its flagged windows, and what changed in it since the run before."""
