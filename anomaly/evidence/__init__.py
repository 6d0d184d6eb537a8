"""What the reader of a flag needs beside it."""
