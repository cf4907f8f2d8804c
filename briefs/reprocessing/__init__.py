"""Stored events and open briefs, many at a time, through the present rules."""
