"""How each table is made from the tables before it: one row a stage, the same for a run and for what is computed again."""
