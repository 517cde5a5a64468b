"""One module per word of the HTTP interface."""
