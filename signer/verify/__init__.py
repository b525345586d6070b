"""Evidence: the signatures of a file and whether each is intact. Trust is evaluated elsewhere."""
