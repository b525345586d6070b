"""Read, map, patch and replace files: one file or several in a transaction, with recovery after a crash."""
