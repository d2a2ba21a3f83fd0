"""SEARCH: what to try next (Optuna) and what to stop (successive halving). Knows nothing of Ray."""
