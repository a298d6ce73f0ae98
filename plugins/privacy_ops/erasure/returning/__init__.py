"""Nobody returns: suppression, sweeps after days, keys, and what a restored backup brings back."""
