"""flows → coverage and bilateral: who reported what, and both sides of every route."""
