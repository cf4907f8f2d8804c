"""Customers with an open brief are in a segment in Customer.io: campaigns can spare them."""
