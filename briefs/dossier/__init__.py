"""All that is shown about a brief: the page, the API and the inbox read it here."""
