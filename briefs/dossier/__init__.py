"""All that the page, the REST API and the inbox show about a brief."""
