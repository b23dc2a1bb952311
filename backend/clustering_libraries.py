"""SciPy and scikit-learn, which take a second to import and are wanted by several threads at once.

Python lets a thread import ``scipy.cluster`` while another is still in the middle of ``scipy`` itself: the
two then find each other's modules half made, and both imports fail. Here one imports, the others wait.
"""

from importlib import import_module
from threading import Lock

_LOCK = Lock()
_MODULES = ("scipy.cluster.hierarchy", "scipy.spatial.distance", "sklearn.cluster")


def load_clustering_libraries() -> None:
    """Import what trees and k-means need; to be called before any module that imports it on its own."""
    with _LOCK:
        for name in _MODULES:
            import_module(name)
