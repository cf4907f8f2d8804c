"""Runs the web server and both clusters of one host, and restarts what dies or stands still.

supervisor   starts, reloads and stops them        watching   who stands still, and what is done
services     what is run, and how it is ended      groups     process groups, and whose they are
beats        what a cluster did last               brokers    where the supervisor knocks at it
messenger    asks and tells the database, so that the supervisor never waits for it
"""
