"""The synthetic publisher: schema, people, objects and ground truth. Not needed in production."""
