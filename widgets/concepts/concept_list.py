"""The concepts of the neuron on show: colour, size, name and notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QItemSelectionModel, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from widgets import theme
from widgets.concepts.concept_list_model import (
    DROPPED_ROW,
    LEFT_OUT_ROW,
    OUTLIER_ROW,
    ConceptEntry,
    ConceptListModel,
)
from widgets.concepts.concept_row_delegate import ConceptRowDelegate
from widgets.labels import EmptyState, MessageLabel, heading_label, secondary_label

__all__ = ["DROPPED_ROW", "LEFT_OUT_ROW", "OUTLIER_ROW", "ConceptEntry", "ConceptList"]

_PAUSE_AFTER_TYPING = 400  # milliseconds


class PendingText:
    """Text that was typed for concepts and not sent yet: one entry for each cluster."""

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}

    def put(self, cluster: int, text: str) -> None:
        """Keep the newest text of a cluster."""
        self._texts[cluster] = text

    def holds(self, cluster: int) -> bool:
        """Return whether there is unsent text for this cluster."""
        return cluster in self._texts

    def take(self) -> dict[int, str]:
        """Return what is unsent and forget it."""
        taken, self._texts = self._texts, {}
        return taken


class NotesEditor(QPlainTextEdit):
    """A text field that says when the focus leaves it, and lets Tab go on to the next control."""

    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTabChangesFocus(True)

    def focusOutEvent(self, event: object) -> None:
        super().focusOutEvent(event)  # type: ignore[arg-type]
        self.left.emit()


class _ListView(QListView):
    """Starts naming the chosen concept on Enter as well."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        editable = bool(self.currentIndex().flags() & Qt.ItemFlag.ItemIsEditable)  # outliers have no name
        if enter and editable and self.state() != QAbstractItemView.State.EditingState:
            self.edit(self.currentIndex(), QAbstractItemView.EditTrigger.EditKeyPressed, event)
            event.accept()
            return
        super().keyPressEvent(event)


class ConceptList(QWidget):
    """The list of concepts, with a place for the notes of the chosen one.

    Signals
    -------
    name_edited(int, str), notes_edited(int, str)
        The user typed: cluster and the whole text. Sent a short while after typing stops, when the
        focus leaves, and before another list is shown: nothing typed is lost.
    hint_accepted()
        The user pressed the button of the hint.
    concept_selected(int)
        The user chose this cluster; -1 the outliers, -2 the dropped clusters, -3 the images left out.
    """

    name_edited = Signal(int, str)
    notes_edited = Signal(int, str)
    concept_selected = Signal(int)
    hint_accepted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names = PendingText()
        self._notes = PendingText()
        self._notes_cluster: int | None = None
        self._showing = False
        self.model = ConceptListModel(self)
        self._build()
        self._send_later = QTimer(self, singleShot=True, interval=_PAUSE_AFTER_TYPING)
        self._send_later.timeout.connect(self.flush)
        self.set_message("Choose a neuron to see its concepts.")

    def _build(self) -> None:
        delegate = ConceptRowDelegate(self)
        delegate.typed.connect(self._name_typed)
        delegate.closeEditor.connect(self.flush)
        self.view = _ListView()
        self.view.setModel(self.model)
        self.view.setItemDelegate(delegate)
        self.view.setMouseTracking(True)
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.view.setAccessibleName("Concepts of the neuron")
        self.view.selectionModel().selectionChanged.connect(self._row_chosen)

        self.notes_title = heading_label("Notes", 1.0)
        self.notes_editor = NotesEditor()
        self.notes_editor.setPlaceholderText("What do these images share? What speaks against it?")
        self.notes_editor.setToolTip("Notes on the chosen concept. Saved in the project as you type.")
        self.notes_editor.setAccessibleName("Notes on the chosen concept")
        self.notes_editor.textChanged.connect(self._notes_typed)
        self.notes_editor.left.connect(self.flush)
        self.hint = secondary_label(
            "F2, Enter or a double click names a concept. Everything is saved as typed."
        )

        notes = QWidget()
        notes_layout = QVBoxLayout(notes)
        notes_layout.setContentsMargins(0, theme.SPACING // 2, 0, 0)
        notes_layout.setSpacing(theme.SPACING // 2)
        for widget in (self.notes_title, self.notes_editor, self.hint):
            notes_layout.addWidget(widget)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self._list_with_hint())
        splitter.addWidget(notes)
        splitter.setStretchFactor(0, 3)
        splitter.setStretchFactor(1, 1)

        self.empty_state = EmptyState("prism")
        self._stack = QStackedLayout(self)
        self._stack.addWidget(splitter)
        self._stack.addWidget(self.empty_state)

    def _list_with_hint(self) -> QWidget:
        self.hint_message = MessageLabel()
        self.hint_button = QPushButton()
        self.hint_button.setAutoDefault(False)
        self.hint_button.clicked.connect(self._accept_hint)
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACING // 2)
        layout.addWidget(self.hint_message)
        layout.addWidget(self.hint_button, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.view, 1)
        self.set_hint("", "")
        return holder

    # --- what is shown ----------------------------------------------------------------------------

    def set_concepts(
        self,
        entries: Sequence[ConceptEntry],
        n_outliers: int = 0,
        dropped: Sequence[int] = (),
        min_cluster_size: int | None = None,
        n_left_out: int = 0,
    ) -> None:
        """Show a neuron's concepts.

        What is being typed goes on undisturbed if the clusters are the same ones; else it is sent first. Show
        an empty list between two neurons: the numbers of the clusters alone do not tell them apart.

        Parameters
        ----------
        entries
            In the order to show.
        n_outliers
            Number of top images outside their cluster's outlier radius.
        dropped
            Sizes of the clusters that fell below the minimum.
        min_cluster_size
            That minimum.
        n_left_out
            Number of top images that the user left out.
        """
        same = [entry.cluster for entry in entries] == [entry.cluster for entry in self.model.entries]
        if not same:
            self.flush()
        chosen = self.selected_concept()
        self._showing = True
        try:
            kept = [self._with_unsent_text(entry) for entry in entries] if same else list(entries)
            self.model.set_entries(kept, n_outliers, tuple(dropped), min_cluster_size, n_left_out)
            self._choose(chosen)
        finally:
            self._showing = False
        self._stack.setCurrentIndex(0)
        self._show_notes()

    def set_hint(self, text: str, action: str) -> None:
        """Say above the list why there is no concept, and offer a remedy; no text: nothing is said."""
        self.hint_message.show_message(text, "warning")
        self.hint_button.setText(action)
        self.hint_button.setVisible(bool(action))

    @Slot()
    def _accept_hint(self) -> None:
        self.hint_accepted.emit()

    def _with_unsent_text(self, entry: ConceptEntry) -> ConceptEntry:
        shown = self.model.entry(entry.cluster)
        if shown is None:
            return entry
        return replace(
            entry,
            name=shown.name if self._names.holds(entry.cluster) else entry.name,
            notes=shown.notes if self._notes.holds(entry.cluster) else entry.notes,
        )

    def set_message(self, title: str, text: str = "") -> None:
        """Show a sentence in place of the list: no neuron is chosen, or it is dead."""
        self.flush()
        self._showing = True
        try:
            self.model.set_entries([], 0, ())
        finally:
            self._showing = False
        self._show_notes()
        self.empty_state.show_state("prism", title, text)
        self._stack.setCurrentIndex(1)

    def update_text(self, cluster: int, name: str, notes: str) -> None:
        """Show a name and notes changed elsewhere (undo), without a signal.

        What was typed and not sent yet is newer, and stays.
        """
        entry = self.model.entry(cluster)
        if entry is not None:
            self.model.replace_entry(self._with_unsent_text(replace(entry, name=name, notes=notes)))
            self._show_notes()

    def selected_concept(self) -> int | None:
        """Return the chosen cluster, -1, -2 or -3 for the other rows, None for nothing."""
        # The selection, not the current index: Qt makes the first row current when the focus comes.
        rows = self.view.selectionModel().selectedRows()
        return self.model.cluster(rows[0].row()) if rows else None

    def select_concept(self, cluster: int | None) -> None:
        """Choose a concept, without a signal."""
        self._showing = True
        try:
            self._choose(cluster)
        finally:
            self._showing = False
        self._show_notes()

    def _choose(self, cluster: int | None) -> None:
        row = self.model.row(cluster)
        if row is None:
            self.view.selectionModel().clear()
            return
        index = self.model.index(row)
        self.view.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.view.scrollTo(index)

    @Slot()
    def _row_chosen(self) -> None:
        if self._showing:
            return
        self.flush()
        self._show_notes()
        cluster = self.selected_concept()
        if cluster is not None:
            self.concept_selected.emit(cluster)

    def _show_notes(self) -> None:
        cluster = self.selected_concept()
        entry = None if cluster is None else self.model.entry(cluster)
        self._notes_cluster = None if entry is None else entry.cluster
        self.notes_editor.setEnabled(entry is not None)
        called = "" if entry is None else entry.name or f"concept {entry.marker}"
        self.notes_title.setText(f"Notes on {called}" if called else "Notes")
        text = "" if entry is None else entry.notes
        if text != self.notes_editor.toPlainText():
            self.notes_editor.blockSignals(True)
            self.notes_editor.setPlainText(text)
            self.notes_editor.blockSignals(False)

    # --- what is typed ----------------------------------------------------------------------------

    @Slot(int, str)
    def _name_typed(self, cluster: int, text: str) -> None:
        entry = self.model.entry(cluster)
        if entry is None or entry.name == text:
            return
        self.model.replace_entry(replace(entry, name=text))
        self._names.put(cluster, text)
        self._send_later.start()
        self._show_notes()

    @Slot()
    def _notes_typed(self) -> None:
        entry = None if self._notes_cluster is None else self.model.entry(self._notes_cluster)
        text = self.notes_editor.toPlainText()
        if entry is None or entry.notes == text:
            return
        self.model.replace_entry(replace(entry, notes=text))
        self._notes.put(entry.cluster, text)
        self._send_later.start()

    @Slot()
    def flush(self) -> None:
        """Send what was typed and not sent yet. Call before closing or changing the project."""
        self._send_later.stop()
        names, notes = self._names.take(), self._notes.take()
        for cluster, text in names.items():
            self.name_edited.emit(cluster, text)
        for cluster, text in notes.items():
            self.notes_edited.emit(cluster, text)
