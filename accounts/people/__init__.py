"""The team: who is in it, with which role, how they come in and how they leave."""
