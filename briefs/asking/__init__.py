"""Asking Mave: who may and when, what it costs, what goes wrong, and answers that were lost."""
