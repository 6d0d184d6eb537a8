"""What readers of raw files share: text, tables, lines, archives, workbooks, numbers, amounts, batches."""
