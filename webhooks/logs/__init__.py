"""How all processes log: which ids, in which form, and what no line may hold."""
