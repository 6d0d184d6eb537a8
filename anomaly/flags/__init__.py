"""features and scores → flags and rollups: what deserves a question."""
