"""From question to answer: sharing, pace, budget, trouble at Mavera, and answers that were lost."""
