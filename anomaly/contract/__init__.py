"""What all rooms speak: the tables' contracts, settings, errors."""
