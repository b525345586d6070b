"""Evidence: what a file's signatures say and whether they are intact; no trust is decided here."""
