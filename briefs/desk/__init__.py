"""The pages in which people work on briefs, and their actions."""
