"""Rows end: what is removed after how long, and the worker that does it, batch by batch."""
