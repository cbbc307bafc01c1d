"""What the audit says: as a table on a terminal, and as JSON."""
