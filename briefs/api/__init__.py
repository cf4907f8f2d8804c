"""The REST API: what the desk shows, for programs."""
