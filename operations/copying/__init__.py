"""Copies a whole installation from SQLite into an empty PostgreSQL, once, before it moves there.

copying   table by table, in one transaction, and compares what arrived
source    the file of SQLite, in one state while others may write, and who has it open
lines     a row in the form that PostgreSQL's COPY reads and writes
"""
