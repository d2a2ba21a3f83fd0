"""The artefact folder read, and checked at the door."""
