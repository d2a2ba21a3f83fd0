"""Measurements, each a command: python -m benchmarks.NAME. Results with their machine in LOG.md."""
