"""WORKER: what Ray runs in a worker process: a trial, and the answers of a confirmed network."""
