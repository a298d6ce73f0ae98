"""Erases planned subjects from the database and the object stores: plan, gate, execute, verify, certify."""
