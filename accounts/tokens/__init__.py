"""Tokens for programs: made and revoked on a page, and asked for by the REST API."""
