"""Who an event speaks of, and what Customer.io knows of them."""
