"""Objects: which ones a plan takes, how every version goes, and how rows inside shared ones are rewritten."""
