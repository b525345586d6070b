"""Driver packages on disk: the files that their INFs copy, and what each catalog has to list."""
