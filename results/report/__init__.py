"""Facts and figures as one HTML page, with every table beside it."""
