"""The choice of the rule by which deep grey values become eight bits, with the rule in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from backend.image_files.grey_scaling import (
    DEFAULT_GREY_SCALING,
    GREY_SCALING_RULES,
    GREY_SCALINGS,
    GreyScaling,
)
from widgets import theme
from widgets.labels import secondary_label
from widgets.number_boxes import ChoiceBox
from widgets.quantity_text import count_text

if TYPE_CHECKING:
    # Imports Pillow, which the window need not wait for.
    from backend.image_files.grey_depth import GreyDepth

_NAMES: dict[GreyScaling, str] = {
    "full_range": "16 bits: value ÷ 256",
    "twelve_bit": "12 bits in 16: value ÷ 16",
    "min_max": "each image's own range",
}
_DICOM = "DICOM"


class GreyScalingChoice(QWidget):
    """Chooses a rule, and says in words what it does and which images it applies to.

    Hidden while there are no images whose format could have such grey values.

    Signals
    -------
    grey_scaling_changed()
        The rule is another one.
    """

    grey_scaling_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._own: GreyScaling = DEFAULT_GREY_SCALING
        self._chosen_by_user = False
        self.box = ChoiceBox()
        for rule in GREY_SCALINGS:
            self.box.add_choice(_NAMES[rule], rule, GREY_SCALING_RULES[rule])
        self.box.setAccessibleName("Rule for grey values of more than eight bits")
        self.box.setToolTip(
            "How grey values of more than eight bits become the eight that networks take.\n"
            "It belongs to the activations: those of another rule are others."
        )
        label = QLabel("&Grey values")
        label.setBuddy(self.box)
        self.found_label = secondary_label()
        self.rule_label = secondary_label()
        row = QHBoxLayout()
        row.setSpacing(theme.MARGIN)
        row.addWidget(label)
        row.addWidget(self.box, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACING // 2)
        layout.addWidget(self.found_label)
        layout.addLayout(row)
        layout.addWidget(self.rule_label)
        self.box.activated.connect(self._note_choice)
        self.box.currentIndexChanged.connect(self._report)
        self._show_rule()
        self.hide()

    def grey_scaling(self) -> GreyScaling | None:
        """Return the rule as chosen; None: the network's own."""
        rule = self._rule()
        return None if rule == self._own else rule

    def set_own_grey_scaling(self, rule: GreyScaling) -> None:
        """Take a rule as the network's own: it is chosen unless the user chose another."""
        self._own = rule
        if not self._chosen_by_user:
            self.box.choose(rule)
            self._show_rule()

    def show_depths(self, depths: Sequence[GreyDepth]) -> None:
        """Say which images the rule applies to, as far as a sample of each format tells."""
        deep = [depth for depth in depths if depth.n_deep]
        self.setVisible(bool(depths))
        self.rule_label.setVisible(bool(deep))
        if deep:
            self.found_label.setText(f"More than eight bits: {'; '.join(map(_found, deep))}.")
        else:
            looked_at = " and ".join(f"{depth.n_examined:,} {depth.format}" for depth in depths)
            self.found_label.setText(
                f"Of the {looked_at} files looked at none has grey values of more than eight bits."
            )

    def _rule(self) -> GreyScaling:
        return cast(GreyScaling, self.box.choice())

    @Slot()
    def _note_choice(self) -> None:
        self._chosen_by_user = True

    @Slot()
    def _report(self) -> None:
        self._show_rule()
        self.grey_scaling_changed.emit()

    def _show_rule(self) -> None:
        self.rule_label.setText(GREY_SCALING_RULES[self._rule()])


def _found(depth: GreyDepth) -> str:
    if depth.format == _DICOM:
        return f"{count_text(depth.n_files, 'DICOM file')} (where they say no window)"
    files = f"{depth.n_deep:,} of the {depth.n_examined:,} {depth.format} files"
    looked_at = "" if depth.n_examined == depth.n_files else " looked at"
    return f"{files}{looked_at}, such as {depth.example}"
