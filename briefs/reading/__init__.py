"""What Mave wrote, as a person may read it: made safe, its claims and its advice marked."""
