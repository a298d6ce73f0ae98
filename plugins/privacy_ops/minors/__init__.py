"""Finds people under 18 by declared facts and calendar arithmetic, opens their cases and restricts them."""
