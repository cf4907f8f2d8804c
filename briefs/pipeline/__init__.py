"""From stored event to brief."""
