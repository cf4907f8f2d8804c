"""The outside world over HTTP, as typed functions: Customer.io and Mavera.

Knows no model and imports nothing of ours.
"""
