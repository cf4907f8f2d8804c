"""How people sign in: by name or mail address, a second factor, single sign-on, the lock-out."""
