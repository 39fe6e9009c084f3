"""Does the second pass help at this size? Arms from one shallow backbone, several seeds, paired on the same held-out problems."""
