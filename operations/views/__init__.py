"""The health page, and what machines ask."""
