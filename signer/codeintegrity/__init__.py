"""The events that Windows logs for a verdict, the codes that it returns, and what to do next."""
