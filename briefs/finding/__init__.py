"""Filters and search, which narrow a list of briefs down."""
