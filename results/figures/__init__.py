"""Facts drawn: Plotly figures, and those as images."""
