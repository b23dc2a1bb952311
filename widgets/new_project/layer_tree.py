"""The layers of a network as a tree with check boxes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt, Signal, Slot
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QHeaderView,
    QLineEdit,
    QStackedLayout,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from backend.networks.model_source import LayerInfo, Pooling
from widgets import theme
from widgets.labels import EmptyState, secondary_label
from widgets.new_project.pooling_box import PoolingBox
from widgets.quantity_text import count_text

_NAME, _TYPE, _OUTPUT, _POOLING = range(4)
_LAYER_ROLE = Qt.ItemDataRole.UserRole + 1
_USABLE_ROLE = Qt.ItemDataRole.UserRole + 2
_ON_THE_WAY_ROLE = Qt.ItemDataRole.UserRole + 3  # shown only because it leads to a layer that fits the filter
_EXPAND_ALL_UP_TO = 40
_ROOM_FOR_TYPES = 500  # pixels
_ROOM_IN_LINE = 8
_NO_NETWORK = "No network yet", "Its layers are listed once you have chosen it."


class LayerTree(QWidget):
    """Layers nested by the dots in their names; those that cannot be analysed are grey and say why.

    A checked layer has a box for its pooling where there is a choice.

    Signals
    -------
    selection_changed(tuple of str)
        The names of the checked layers, in the network's order.
    poolings_changed()
        A layer is to be pooled otherwise.
    """

    selection_changed = Signal(object)
    poolings_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._items: dict[str, QTreeWidgetItem] = {}
        self._n_neurons: dict[str, int] = {}
        self._offered: dict[str, tuple[Pooling, ...]] = {}
        self._chosen_poolings: dict[str, Pooling] = {}
        self._filling = False
        self._remembered: tuple[str, ...] = ()
        self.filter_edit = QLineEdit()
        self.filter_edit.setPlaceholderText("Filter layers by name or type")
        self.filter_edit.setClearButtonEnabled(True)
        self.filter_edit.setAccessibleName("Filter the layers")
        self.filter_edit.setToolTip("Show the layers whose name or type holds this text.")
        self.filter_edit.textChanged.connect(self._filter)
        self.tree = QTreeWidget()
        self.tree.setAccessibleName("Layers of the network")
        self.tree.setColumnCount(4)
        self.tree.setHeaderLabels(["Layer", "Type", "Output", "Pooling"])
        self.tree.headerItem().setToolTip(
            _POOLING, "How the output of a checked layer becomes one value for each neuron and image."
        )
        self.tree.setItemDelegate(_LayerDelegate(self.tree))
        self.tree.setUniformRowHeights(True)
        self.tree.setAlternatingRowColors(True)
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        header.resizeSection(_TYPE, 110)
        for column in (_OUTPUT, _POOLING):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.tree.itemChanged.connect(self._item_changed)
        self.count_label = secondary_label()
        self.empty_state = EmptyState("layers")
        holder = QWidget()
        self._stack = QStackedLayout(holder)
        self._stack.addWidget(self.empty_state)
        self._stack.addWidget(self.tree)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACING // 2)
        layout.addWidget(self.filter_edit)
        layout.addWidget(holder, 1)
        layout.addWidget(self.count_label)
        self.set_message(*_NO_NETWORK)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the types out where the names would have no room; tooltips have them."""
        super().resizeEvent(event)
        self.tree.setColumnHidden(_TYPE, self.width() < _ROOM_FOR_TYPES)

    def set_message(self, title: str, text: str = "") -> None:
        """Show a message in place of the layers; what was checked is checked again if it comes back."""
        self._remembered = self.checked_layers() or self._remembered
        self._fill(())
        self.empty_state.show_state("layers", title, text)

    def set_layers(self, layers: Sequence[LayerInfo]) -> None:
        """Show a network's layers, in its own order. Layers checked before stay checked if they are there."""
        if not layers:
            self.set_message(*_NO_NETWORK)
            return
        checked = self.checked_layers() or self._remembered
        self._remembered = ()
        self._fill(layers)
        self.set_checked_layers(checked)

    def checked_layers(self) -> tuple[str, ...]:
        """Return the names of the checked layers, in the network's order."""
        return tuple(
            name
            for name, item in self._items.items()
            if item.data(_NAME, _USABLE_ROLE) and item.checkState(_NAME) == Qt.CheckState.Checked
        )

    def n_neurons_checked(self) -> int | None:
        """Return how many neurons the checked layers have in all; None if none is checked."""
        checked = self.checked_layers()
        return sum(self._n_neurons[name] for name in checked) if checked else None

    def poolings(self) -> dict[str, Pooling]:
        """Return how each checked layer is to be pooled, where there is a choice."""
        return {name: self._pooling(name) for name in self.checked_layers() if len(self._offered[name]) > 1}

    def pooling_box(self, name: str) -> PoolingBox | None:
        """Return the box for a layer's pooling, if there is one now."""
        box = self.tree.itemWidget(self._items[name], _POOLING)
        return box if isinstance(box, PoolingBox) else None

    def set_checked_layers(self, names: Sequence[str]) -> None:
        """Check these layers and no others; names that cannot be analysed are left out. No signal."""
        self._filling = True
        try:
            for name, item in self._items.items():
                if not item.data(_NAME, _USABLE_ROLE):
                    continue
                wanted = name in names
                item.setCheckState(_NAME, Qt.CheckState.Checked if wanted else Qt.CheckState.Unchecked)
                if wanted:
                    self._reveal(item)
        finally:
            self._filling = False
        self._show_pooling_boxes()
        self._show_count()

    def _fill(self, layers: Sequence[LayerInfo]) -> None:
        self._filling = True
        try:
            self.tree.clear()
            self._items = {}
            for layer in layers:
                self._set_up(self._item(layer.name), layer)
            # The dictionary holds the network's order; parents made on the way are no layers.
            self._items = {layer.name: self._items[layer.name] for layer in layers}
            self._n_neurons = {layer.name: layer.n_neurons or 0 for layer in layers}
            self._offered = {layer.name: layer.poolings for layer in layers}
            if len(layers) <= _EXPAND_ALL_UP_TO:
                self.tree.expandAll()
        finally:
            self._filling = False
        self._stack.setCurrentIndex(1 if layers else 0)
        self.filter_edit.setEnabled(bool(layers))
        self._filter(self.filter_edit.text())
        self._show_count()

    def _item(self, name: str) -> QTreeWidgetItem:
        """Return the item of a name, made with its parents if needed."""
        if name in self._items:
            return self._items[name]
        parent_name, _, last = name.rpartition(".")
        item = QTreeWidgetItem([last])
        if parent_name:
            self._item(parent_name).addChild(item)
        else:
            self.tree.addTopLevelItem(item)
        item.setToolTip(_NAME, name)
        self._items[name] = item
        return item

    @staticmethod
    def _set_up(item: QTreeWidgetItem, layer: LayerInfo) -> None:
        shape = " × ".join(str(size) for size in layer.output_shape) if layer.output_shape else "–"
        item.setText(_TYPE, layer.kind)
        item.setText(_OUTPUT, shape)
        item.setData(_NAME, _LAYER_ROLE, layer.name)
        item.setData(_NAME, _USABLE_ROLE, layer.supported)
        neurons = count_text(layer.n_neurons or 0, "neuron")
        tooltip = f"{layer.name}\n{layer.kind}\n{neurons if layer.supported else layer.reason}"
        for column in range(4):
            item.setToolTip(column, tooltip)
        if layer.supported:
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(_NAME, Qt.CheckState.Unchecked)
        else:
            item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsUserCheckable)
            item.setData(_NAME, Qt.ItemDataRole.AccessibleDescriptionRole, layer.reason)

    @Slot(str)
    def _filter(self, text: str) -> None:
        wanted = text.strip().casefold()
        matches = [
            item
            for name, item in self._items.items()
            if wanted and (wanted in name.casefold() or wanted in item.text(_TYPE).casefold())
        ]
        was_filling, self._filling = self._filling, True
        try:
            for item in _all_items(self.tree):
                item.setHidden(bool(wanted))
            for item in matches:
                self._reveal(item)
            fitting = {id(item) for item in matches}
            for item in _all_items(self.tree):
                self._set_on_the_way(item, bool(wanted) and id(item) not in fitting)
        finally:
            self._filling = was_filling
        if matches:
            self.tree.setCurrentItem(matches[0])
            self.tree.scrollToItem(matches[0])

    @staticmethod
    def _set_on_the_way(item: QTreeWidgetItem, on_the_way: bool) -> None:
        """Dim an item that only leads to others, out of reach of a click; or take that back."""
        item.setData(_NAME, _ON_THE_WAY_ROLE, on_the_way)
        reach = Qt.ItemFlag.ItemIsSelectable
        if item.data(_NAME, _USABLE_ROLE):
            reach |= Qt.ItemFlag.ItemIsUserCheckable
        item.setFlags(item.flags() & ~reach if on_the_way else item.flags() | reach)

    @staticmethod
    def _reveal(item: QTreeWidgetItem) -> None:
        item.setHidden(False)
        parent = item.parent()
        while parent is not None:
            parent.setHidden(False)
            parent.setExpanded(True)
            parent = parent.parent()

    @Slot(QTreeWidgetItem, int)
    def _item_changed(self, item: QTreeWidgetItem, column: int) -> None:
        if not self._filling and column == _NAME:
            self._show_pooling_boxes()
            self._show_count()
            self.selection_changed.emit(self.checked_layers())

    def _pooling(self, name: str) -> Pooling:
        offered, chosen = self._offered[name], self._chosen_poolings.get(name)
        return chosen if chosen in offered else offered[0]

    def _show_pooling_boxes(self) -> None:
        """Give each checked layer with a choice of poolings a box for it, and take away those of others."""
        with_choice = self.poolings()
        last: QWidget = self.tree
        for name, item in self._items.items():
            box = self.pooling_box(name)
            if name not in with_choice:
                if box is not None:
                    self.tree.removeItemWidget(item, _POOLING)
                    item.setSizeHint(_POOLING, QSize())
                continue
            if box is None:
                box = PoolingBox(name, self._offered[name], with_choice[name])
                box.pooling_chosen.connect(self._pooling_chosen)
                # Lower than usual, so that no line moves away under the pointer when it comes.
                box.setFixedHeight(self.tree.fontMetrics().height() + _ROOM_IN_LINE)
                item.setSizeHint(_POOLING, QSize(box.sizeHint().width() + theme.SPACING, box.height()))
                self.tree.setItemWidget(item, _POOLING, box)
            QWidget.setTabOrder(last, box)
            last = box

    @Slot(str, str)
    def _pooling_chosen(self, name: str, pooling: Pooling) -> None:
        self._chosen_poolings[name] = pooling
        self.poolings_changed.emit()

    def _show_count(self) -> None:
        checked = self.checked_layers()
        self.count_label.setVisible(bool(self._items))
        self.count_label.setText(
            f"Chosen: {', '.join(checked)}"
            if checked
            else "Check one layer or several: deep ones hold concepts."
        )


def _all_items(tree: QTreeWidget) -> Iterator[QTreeWidgetItem]:
    waiting = [tree.topLevelItem(position) for position in range(tree.topLevelItemCount())]
    while waiting:
        item = waiting.pop()
        if item is not None:
            yield item
            waiting.extend(item.child(position) for position in range(item.childCount()))


class _LayerDelegate(QStyledItemDelegate):
    """Writes what cannot be analysed, or only leads to what fits the filter, in the secondary text colour."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Leave room for a box in every line."""
        hint = super().sizeHint(option, index)
        return QSize(hint.width(), max(hint.height(), option.fontMetrics.height() + _ROOM_IN_LINE))

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().initStyleOption(option, index)
        name = index.sibling(index.row(), _NAME)
        on_the_way = bool(name.data(_ON_THE_WAY_ROLE))
        if on_the_way and option.checkState == Qt.CheckState.Unchecked:
            option.features &= ~QStyleOptionViewItem.ViewItemFeature.HasCheckIndicator
        if on_the_way or not name.data(_USABLE_ROLE):
            quiet = option.palette.color(QPalette.ColorRole.PlaceholderText)
            option.palette.setColor(QPalette.ColorRole.Text, quiet)
