"""MODEL: a confirmed network after its study: as a file, and asked about photographs."""
