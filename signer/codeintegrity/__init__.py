"""What Windows logs and shows for a verdict, and what to do about it."""
