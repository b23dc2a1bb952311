"""The parameters of the method: presets, the suggestion, and every number with its unit."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from backend.method.parameters import Parameters, Suggestion


class ParametersPanel(QWidget):
    """Shows one set of parameters and asks for another.

    Signals
    -------
    parameters_changed(Parameters)
        The user changed something: once per change, spinning is debounced. Never sent by the setters.
    n_clusters_requested(int)
        The user asked for this number of clusters; whoever knows the tree answers with the distance threshold
        (``set_parameters``, ``set_n_clusters``).
    """

    parameters_changed = Signal(object)
    n_clusters_requested = Signal(int)

    def set_parameters(self, parameters: Parameters) -> None: ...
    def parameters(self) -> Parameters: ...
    def set_distance_threshold(self, threshold: float) -> None:
        """Follow the dendrogram's line while it is dragged; no signal."""

    def set_suggestion(self, suggestion: Suggestion | None) -> None: ...
    def set_n_clusters(self, n_clusters: int | None, maximum: int | None = None) -> None: ...
    def set_threshold_range(self, highest_merge: float | None) -> None:
        """Scale the step of the threshold's spin box to the tree on show."""
