"""What people do with briefs, for the desk, the API and the admin alike."""
