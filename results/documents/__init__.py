"""What README.md and docs/results.md say was found, from the published studies."""
