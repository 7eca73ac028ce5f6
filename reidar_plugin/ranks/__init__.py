"""Several processes that train and test as one: who is who, what they exchange, and what only the first one does."""
