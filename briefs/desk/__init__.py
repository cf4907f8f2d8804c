"""The pages people work in, and what they do there."""
