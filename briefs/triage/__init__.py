"""What people do with a brief, for the desk, the API and the admin alike.

Each function asks for its permission, locks the brief, and refuses what is based on an old page.
"""
