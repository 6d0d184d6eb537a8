"""How good the flags are, as of each date and beside simpler rankings."""
