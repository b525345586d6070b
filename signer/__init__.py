"""Sign Windows drivers, and say what Windows will make of them."""
