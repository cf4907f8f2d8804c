"""Runs the web server and both clusters of one host, and restarts what dies or is stuck.

supervisor   starts, reloads and stops them        watching   finds what is stuck, and ends it
services     what is run, and how it is ended      groups     process groups, and whose they are
beats        what a cluster did last, and tasks for it alone
bringing     finds what is due in the rows         brokers    goes on while the broker is away (sqs)
messenger    reads and writes the database, so that the supervisor never waits for it
"""
