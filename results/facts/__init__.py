"""What the studies found, as data frames: computed before anything is drawn."""
