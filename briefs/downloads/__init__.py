"""What people take along: a brief as Markdown, lists as CSV; for the desk and the REST API."""
