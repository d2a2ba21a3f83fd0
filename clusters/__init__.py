"""CLUSTERS: machines described for Ray, and what AWS must have before the first of them."""
