"""What is measured, and beside whom: see README.md."""
