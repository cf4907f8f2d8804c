"""The outside world over HTTP, as typed functions: Customer.io and Mavera.

This package knows no Django model and imports none of our other packages.
"""
