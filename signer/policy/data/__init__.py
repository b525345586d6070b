"""The policy's tables as package data: each row with its source, each read once and only when it is needed."""
