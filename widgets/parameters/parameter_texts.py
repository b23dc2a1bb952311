"""What the parameters of the method are called, what they mean, and in which unit they are."""

from __future__ import annotations

from typing import Final

LABELS: Final[dict[str, str]] = {
    "preset": "Preset",
    "top_n": "Top images N",
    "distance_threshold": "Threshold d<sub>max</sub>",
    "n_clusters": "Clusters C",
    "outlier_radius_squared": "Outlier radius²",
    "min_cluster_size": "Smallest cluster",
    "linkage": "Linkage",
    "metric": "Metric",
    "kmeans_start": "Start",
    "kmeans_restarts": "Restarts",
    "kmeans_max_iter": "Iterations",
    "seed": "Seed",
}

UNITS: Final[dict[str, str]] = {
    "top_n": "images",
    "distance_threshold": "height",
    "outlier_radius_squared": "distance²",
    "min_cluster_size": "images",
    "kmeans_max_iter": "at most",
}

TOOLTIPS: Final[dict[str, str]] = {
    "preset": "A complete set of parameters. Changing any of them makes it a custom one.",
    "top_n": (
        "How many of the images that activate the neuron most are clustered (2 to 1000).\n"
        "Heights of Ward's tree grow with it, so a threshold holds for one N."
    ),
    "distance_threshold": (
        "Merges strictly below this height are joined; the dendrogram's line is the same number.\n"
        "Unit: merge height, for average, complete and single linkage a distance between activations."
    ),
    "n_clusters": ("Clusters that the tree has at this threshold.\nSet it to move the threshold there."),
    "outlier_radius_squared": (
        "An image whose squared distance to its cluster's centroid is not below this is an outlier.\n"
        "Unit: squared Euclidean distance between activations."
    ),
    "min_cluster_size": (
        "A cluster left with fewer images than this, once the outliers are gone, is dropped.\nUnit: images."
    ),
    "linkage": "What the distance between two clusters is.",
    "metric": "What the distance between two images' activations is.",
    "kmeans_start": "Where k-means starts from, with the tree's number of clusters.",
    "kmeans_restarts": "How many random starts are tried; the tightest result is kept.",
    "kmeans_max_iter": "Most iterations of one k-means run. It ends earlier once nothing moves.",
    "seed": "Seed of the random starts: the same seed gives the same clusters.",
}

CHOICES: Final[dict[str, tuple[tuple[str, str, str], ...]]] = {
    "preset": (
        ("suggested", "Suggested for this layer", "Threshold and radius measured on this layer's own scale."),
        (
            "published",
            "As published",
            "O'Mahony et al. 2023, for Inception V3 Mixed_7b: N 100, d_max 15, radius² 15,\n"
            "random start with 5 restarts, seed 0. Other layers have other scales.",
        ),
        ("custom", "Custom", "Parameters of your own."),
    ),
    "linkage": (
        ("ward", "Ward", "Joins the two clusters whose union adds least variance."),
        ("average", "Average", "Mean distance between the images of two clusters."),
        ("complete", "Complete", "Largest distance between an image of one and of the other."),
        ("single", "Single", "Smallest distance between an image of one and of the other: makes chains."),
    ),
    "metric": (
        (
            "euclidean",
            "Euclidean",
            "Straight distance between two activations: direction and strength count.",
        ),
        ("cosine", "Cosine", "1 − cosine of the angle, 0 to 2: direction alone counts."),
    ),
    "kmeans_start": (
        ("tree", "From the tree", "From the means of the tree's own clusters: one run, always the same."),
        ("random", "Random", "k-means++ starts, as published."),
    ),
}
"""For each choice box: value, text, tooltip of every choice."""
