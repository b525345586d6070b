"""The options that several commands share, a group of them in each module."""
