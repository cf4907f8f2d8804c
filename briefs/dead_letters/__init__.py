"""What was given up and waits for a person: events, questions, messages and jobs, in one list."""
