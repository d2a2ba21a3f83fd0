"""STORAGE: files on disks and in buckets, and a study handed from machine to machine."""
