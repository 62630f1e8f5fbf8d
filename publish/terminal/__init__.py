"""What was published, on a terminal or in a pipe."""
