"""Is it running, is it well, how is it set up. This app has no models."""
