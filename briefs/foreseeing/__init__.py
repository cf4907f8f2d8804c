"""What an edit of the rules would change, told before it is made."""
