"""The health page, and the checks for monitoring."""
