"""Who signs in, as which role, and with which tokens: people, roles, second factors."""
