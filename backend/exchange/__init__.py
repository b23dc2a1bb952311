"""Results on their way out: concept vectors, tables, JSON and the HTML report."""
