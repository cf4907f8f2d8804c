"""Tells people: of new briefs that are urgent, and of trouble with the feed.

messages   what is said           outbox  the rows, claimed one by one, tried again by schedule
sending    one message to one address, through apprise
addresses  which addresses are taken
"""
