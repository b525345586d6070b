"""What a Windows release decides about the evidence."""
