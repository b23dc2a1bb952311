"""The dendrogram with its threshold, leaves and cluster counts."""
