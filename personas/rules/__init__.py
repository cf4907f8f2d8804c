"""The team's rules, applied to events and customers."""
