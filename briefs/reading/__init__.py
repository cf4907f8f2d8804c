"""Prepares what Mave wrote for readers: makes it safe, and marks claims and closed channels."""
