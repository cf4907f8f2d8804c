"""How people narrow a list of briefs down: filters and search."""
