"""CLUSTER: joining or starting Ray, and what its nodes have."""
