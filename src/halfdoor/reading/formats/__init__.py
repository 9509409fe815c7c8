"""The secret table, by kind of vendor."""
