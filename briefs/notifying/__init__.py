"""Notifies people of urgent new briefs, and of trouble with the webhooks.

messages   the text               outbox  the rows, claimed one by one, tried again by schedule
sending    one message to one address, through apprise
addresses  which addresses are allowed
"""
