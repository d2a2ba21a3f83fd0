"""TRAINING: one network, from hyperparameters to epoch records. Knows nothing of Ray."""
