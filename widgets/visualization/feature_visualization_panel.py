"""Feature visualisation: the neuron beside its concepts, each picture appearing as it is optimised."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from backend.visualization.visualization_result import FeatureVisualization, VisualizationSettings
from widgets import theme
from widgets.flow_layout import FlowLayout
from widgets.labels import EmptyState, MessageLabel, secondary_label
from widgets.visualization.visualization_card import (
    PADDING,
    PICTURE_SIZES,
    VisualizationCard,
    VisualizationCardView,
)
from widgets.visualization.visualization_settings_form import VisualizationSettingsForm

__all__ = ["FeatureVisualizationPanel", "VisualizationCard"]


class FeatureVisualizationPanel(QWidget):
    """Settings, Start, Cancel and a card for each direction.

    Signals
    -------
    start_requested(VisualizationSettings), cancel_requested()
        What the user asks for.
    save_requested(str, str)
        Key of the card and the PNG file that the user chose; :meth:`image` gives the picture.
    """

    start_requested = Signal(object)
    cancel_requested = Signal()
    save_requested = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._views: dict[str, VisualizationCardView] = {}
        self._running = False
        self._available = True
        self.settings_form = VisualizationSettingsForm()
        self._build_buttons()
        self._build_layout()
        self.set_running(False)
        self.set_cards(())

    # --- building ------------------------------------------------------------------------------------

    def _build_buttons(self) -> None:
        self.start_button = QPushButton("Start")
        self.start_button.setToolTip("Optimise a picture for the neuron and for each of its concepts.")
        theme.set_icon(self.start_button, "start")
        self.start_button.clicked.connect(self._start)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Stop after the current step. The pictures stay as they are.")
        theme.set_icon(self.cancel_button, "stop")
        self.cancel_button.clicked.connect(self._cancel)
        self.more_button = QToolButton()
        self.more_button.setAccessibleName("More settings")
        self.more_button.setToolTip("More settings: objective, where it is read, picture, transforms")
        self.more_button.setAutoRaise(True)
        self.more_button.setCheckable(True)
        self.more_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        theme.set_icon(self.more_button, "parameters")
        self.more_button.toggled.connect(self.settings_form.show_more)
        self.progress_bar = QProgressBar()
        self.progress_bar.setFixedHeight(8)
        self.progress_bar.setTextVisible(False)
        self.progress_bar.setAccessibleName("Steps of the feature visualisation")
        self.step_label = secondary_label()
        self.step_label.setWordWrap(False)

    def _build_layout(self) -> None:
        controls = QHBoxLayout()
        controls.setSpacing(theme.SPACING)
        controls.addWidget(self.settings_form.first_row(), 1)
        controls.addWidget(self.more_button)
        controls.addWidget(self.start_button)
        controls.addWidget(self.cancel_button)
        self.message = MessageLabel()
        progress = QHBoxLayout()
        progress.setSpacing(theme.SPACING)
        progress.addWidget(self.progress_bar, 1)
        progress.addWidget(self.step_label)

        self._card_area = QWidget()
        self._flow = FlowLayout(self._card_area, spacing=theme.MARGIN)
        scroll = self._scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(self._card_area)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the cards take it
        self.empty_state = EmptyState("visualization")
        cards = QWidget()
        self._stack = QStackedLayout(cards)
        self._stack.addWidget(scroll)
        self._stack.addWidget(self.empty_state)

        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.MARGIN, theme.SPACING, theme.MARGIN, theme.SPACING)
        layout.setSpacing(theme.SPACING)
        layout.addLayout(controls)
        layout.addWidget(self.settings_form)
        layout.addLayout(progress)
        layout.addWidget(self.message)
        layout.addWidget(cards, 1)
        self.settings_form.show_more(False)

    # --- what is shown -------------------------------------------------------------------------------

    def set_cards(self, cards: Sequence[VisualizationCard]) -> None:
        """Show these cards; the picture of a key that stays is kept until it is rendered again.

        Use other keys for another neuron, or call :meth:`clear_images` first.
        """
        kept = {card.key: self._views.pop(card.key) for card in cards if card.key in self._views}
        for view in self._views.values():
            self._flow.removeWidget(view)
            view.deleteLater()
        self._views = {}
        for position, card in enumerate(cards):
            view = kept.get(card.key) or VisualizationCardView(card.key)
            if card.key not in kept:
                view.save_requested.connect(self.save_requested)
            else:
                self._flow.removeWidget(view)
            view.set_card(card)
            self._flow.insertWidget(position, view)
            self._views[card.key] = view
        self._show_page()

    def clear_images(self) -> None:
        """Take the pictures off the cards."""
        for view in self._views.values():
            view.clear()

    def update_images(self, result: FeatureVisualization) -> None:
        """Show pictures on their way or finished; keys without a card are left out."""
        for position, key in enumerate(result.keys):
            view = self._views.get(key)
            if view is not None:
                view.show_result(result, position)
        self.progress_bar.setRange(0, result.n_steps)
        self.progress_bar.setValue(result.step)
        self.step_label.setText(f"step {result.step:,} of {result.n_steps:,}")

    def image(self, key: str) -> QImage | None:
        """Return the picture of a card, None while there is none."""
        view = self._views.get(key)
        return None if view is None else view.image()

    def card(self, key: str) -> VisualizationCardView | None:
        """Return the card of a key."""
        return self._views.get(key)

    def set_running(self, running: bool) -> None:
        """Show that pictures are being rendered, or that they are not."""
        self._running = running
        self.start_button.setVisible(not running)
        self.cancel_button.setVisible(running)
        self.cancel_button.setEnabled(True)
        self.progress_bar.setVisible(running)
        self.step_label.setVisible(running)
        self.settings_form.set_enabled(not running)
        if running:
            self.progress_bar.setRange(0, 0)
            self.step_label.setText("preparing…")
            self.message.show_message("")
        self._show_start()

    def set_message(self, text: str) -> None:
        """Say above the cards what went wrong; empty: nothing did."""
        self.message.show_message(text, "warning")

    def set_available(self, available: bool, reason: str = "") -> None:
        """Allow rendering or not, with the reason: no neuron chosen, no network at hand."""
        self._available = available
        self.empty_state.show_state(
            "visualization", "Nothing to visualise yet", reason or "Choose a neuron to see what drives it."
        )
        self.start_button.setToolTip(
            reason or "Optimise a picture for the neuron and for each of its concepts."
        )
        self._show_start()

    def settings(self) -> VisualizationSettings:
        """Return the settings as chosen."""
        return self.settings_form.settings()

    def set_settings(self, settings: VisualizationSettings) -> None:
        """Show other settings; no signal."""
        self.settings_form.set_settings(settings)

    def _show_start(self) -> None:
        self.start_button.setEnabled(self._available and bool(self._views) and not self._running)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let the cards use the width."""
        super().resizeEvent(event)
        self._fit_cards()

    def _fit_cards(self) -> None:
        """Put all cards into one row if their pictures stay large enough for it, else fill the rows."""
        scroll_bar = self._scroll.verticalScrollBar().sizeHint().width()
        width = self.width() - 2 * theme.MARGIN - scroll_bar + theme.MARGIN
        extra = 2 * PADDING + theme.MARGIN
        fitting = max(1, width // (PICTURE_SIZES[0] + extra))
        per_row = max(1, min(len(self._views), fitting))
        for view in self._views.values():
            view.set_picture_size(width // per_row - extra)

    def _show_page(self) -> None:
        self._fit_cards()
        self._stack.setCurrentIndex(0 if self._views else 1)
        self.set_available(self._available)

    # --- what the user does --------------------------------------------------------------------------

    @Slot()
    def _start(self) -> None:
        self.start_requested.emit(self.settings())

    @Slot()
    def _cancel(self) -> None:
        self.cancel_button.setEnabled(False)
        self.step_label.setText("stopping…")
        self.cancel_requested.emit()
