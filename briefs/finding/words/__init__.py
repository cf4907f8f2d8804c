"""Full text: how texts become words, what is typed, what a document holds, and its index."""
