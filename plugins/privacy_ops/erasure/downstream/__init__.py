"""Others who hold the data: work items, the outbox that tells them, and the gate on their answers."""
