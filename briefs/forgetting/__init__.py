"""Forgetting a person for ever: who it is, what names them, and the walk over all tables."""
