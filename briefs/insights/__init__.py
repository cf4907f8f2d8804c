"""What research cost, and what came of it."""
