"""Microsoft's command lines: `drvsign --as TOOL` takes the switches of a tool and prints its lines."""
