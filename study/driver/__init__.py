"""DRIVER: one study from its first trial to the opened test."""
