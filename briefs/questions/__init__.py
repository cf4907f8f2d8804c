"""What is asked: the wording, how it is filled, and how many questions the rules can ask."""
