"""What Code Integrity logs and returns, as package data: each row with its source."""
