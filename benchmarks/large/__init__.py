"""A large company: a million issues with ten million changes, two million deals, ten million postings, 16 key results."""
