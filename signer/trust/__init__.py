"""Trust anchors and certificate paths."""
