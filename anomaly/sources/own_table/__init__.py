"""What the reader of a user's own table (`anomaly.sources.table`) is made of: mapping, forms, cells, sums, doubts."""
