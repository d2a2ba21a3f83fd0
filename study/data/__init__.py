"""DATA: the splits of a data set, read or drawn, checked and cached."""
