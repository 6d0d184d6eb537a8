"""Ad-hoc questions put to the tables."""
