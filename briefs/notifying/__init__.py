"""Tells people: of new briefs that are urgent, and of trouble with the feed.

messages   what is said              alarms    what trouble is, and when it is told
outbox     the rows, claimed one by one: at most once each
sending    one message to one address, through apprise
addresses  which addresses are taken            sealing   how they rest in the database
"""
