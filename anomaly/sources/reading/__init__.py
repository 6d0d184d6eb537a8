"""What readers of raw files share: text, lines, archives, amounts, batches."""
