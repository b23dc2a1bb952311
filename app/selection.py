"""What is selected: images by their row in the project, one concept, and the neurons visited."""

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal


class Selection(QObject):
    """The one selection that every panel shows and changes.

    Signals
    -------
    images_changed(frozenset of int)
        Rows of the selected images.
    concept_changed(int or None)
        Cluster number; −1 the outliers, −2 the dropped clusters.
    """

    images_changed = Signal(object)
    concept_changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._images: frozenset[int] = frozenset()
        self._concept: int | None = None

    @property
    def images(self) -> frozenset[int]:
        """Rows of the selected images."""
        return self._images

    @property
    def concept(self) -> int | None:
        """The selected concept."""
        return self._concept

    def select_images(self, rows: Iterable[int]) -> None:
        """Select exactly these images."""
        images = frozenset(int(row) for row in rows)
        if images != self._images:
            self._images = images
            self.images_changed.emit(images)

    def select_concept(self, cluster: int | None) -> None:
        """Select a concept of the neuron on show, or none."""
        if cluster != self._concept:
            self._concept = cluster
            self.concept_changed.emit(cluster)

    def clear(self) -> None:
        """Select nothing."""
        self.select_images(())
        self.select_concept(None)


Place = tuple[str, int]
"""A layer's name and a neuron of it."""


class VisitedNeurons(QObject):
    """Back and forward through the neurons visited, as in a browser.

    Signals
    -------
    changed()
        What can be gone back or forward to may be different now.
    """

    changed = Signal()

    LIMIT = 200

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._places: list[Place] = []
        self._position = -1

    @property
    def place_behind(self) -> Place | None:
        """Where :meth:`back` would lead."""
        return self._places[self._position - 1] if self.can_go_back else None

    @property
    def place_ahead(self) -> Place | None:
        """Where :meth:`forward` would lead."""
        return self._places[self._position + 1] if self.can_go_forward else None

    @property
    def can_go_back(self) -> bool:
        """Whether there is an earlier place."""
        return self._position > 0

    @property
    def can_go_forward(self) -> bool:
        """Whether :meth:`back` was used and nothing else visited since."""
        return self._position < len(self._places) - 1

    def visit(self, layer: str, neuron: int) -> None:
        """Note that a neuron is on show now; forgets what lay ahead unless it is the place gone to."""
        place = (layer, neuron)
        if self._position >= 0 and self._places[self._position] == place:
            return
        self._places = [*self._places[: self._position + 1], place][-self.LIMIT :]
        self._position = len(self._places) - 1
        self.changed.emit()

    def back(self) -> Place | None:
        """Step back and return the place to show."""
        return self._step(-1) if self.can_go_back else None

    def forward(self) -> Place | None:
        """Step forward and return the place to show."""
        return self._step(1) if self.can_go_forward else None

    def clear(self) -> None:
        """Forget everything, for another project."""
        self._places, self._position = [], -1
        self.changed.emit()

    def _step(self, by: int) -> Place:
        self._position += by
        self.changed.emit()
        return self._places[self._position]
