"""Facts with source and date, and who reads them."""
