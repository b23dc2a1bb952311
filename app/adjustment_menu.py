"""What menus offer for chosen images: a concept of their own, leaving them out, excluding them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu

from app.hand_adjustments import HandAdjustments
from app.session import Session
from widgets.quantity_text import count_text
from widgets.theme import set_icon

OWN_CONCEPT_KEY = "Ctrl+G"
LEAVE_OUT_KEY = "Del"
EXCLUDE_KEY = "Shift+Del"

NO_TOP_IMAGE = "None of these is among the neuron's top images"
READ_ONLY = "The project is open read-only"


def add_adjustments(menu: QMenu, adjustments: HandAdjustments, rows: Collection[int]) -> None:
    """Add to a menu what can be done by hand with some images.

    Parameters
    ----------
    menu
        Of one subtree, or of chosen pictures.
    adjustments
        Of the session.
    rows
        The images.
    """
    rows = tuple(rows)
    top, current = adjustments.top_rows(rows), adjustments.current
    menu.setToolTipsVisible(True)
    menu.addSeparator()
    own = _add(
        menu, f"Make a &concept of its own\t{OWN_CONCEPT_KEY}", lambda: adjustments.make_own_concept(top)
    )
    own.setToolTip(f"{count_text(len(top), 'image')}, whatever cluster they are in" if top else NO_TOP_IMAGE)
    out = _add(menu, f"&Leave out\t{LEAVE_OUT_KEY}", partial(adjustments.leave_out, top))
    out.setToolTip("Members of no concept of this neuron" if top else NO_TOP_IMAGE)
    for action in (own, out):
        action.setEnabled(bool(top))
    if not current.rows.isdisjoint(rows):
        _add(menu, "&Give back to their clusters", lambda: adjustments.give_back(rows))
    if current:
        reset = _add(menu, "&Undo adjustments of this neuron", adjustments.reset)
        set_icon(reset, "reset")
    menu.addSeparator()
    images = "this image" if len(rows) == 1 else f"these {len(rows):,} images"
    exclude = _add(
        menu, f"E&xclude {images} from the analysis\t{EXCLUDE_KEY}", lambda: adjustments.exclude(rows)
    )
    exclude.setEnabled(adjustments.can_exclude)
    exclude.setToolTip(
        "For every neuron of the project: as if they were not there (their files stay)"
        if adjustments.can_exclude
        else READ_ONLY
    )


def _add(menu: QMenu, text: str, call: Callable[[], object]) -> QAction:
    action = menu.addAction(text)
    action.triggered.connect(lambda _checked=False: call())
    return action


class AdjustmentActions(QObject):
    """The same for the selected images, as actions of the Edit menu with their keys.

    Attributes
    ----------
    actions : dict of str to QAction
        ``own_concept``, ``leave_out``, ``reset_adjustments``, ``exclude`` and ``excluded_images``.
    """

    def __init__(self, session: Session, show_excluded: Callable[[], object], parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._adjustments = adjustments = session.adjustments
        self.actions: dict[str, QAction] = {}
        for name, text, key, call in (
            ("own_concept", "Make selected images a &concept", OWN_CONCEPT_KEY, adjustments.make_own_concept),
            ("leave_out", "&Leave selected images out", LEAVE_OUT_KEY, adjustments.leave_out),
            ("exclude", "E&xclude selected images from the analysis", EXCLUDE_KEY, adjustments.exclude),
        ):
            self._add(name, text, partial(self._with_selected, call)).setShortcut(QKeySequence(key))
        self._add("reset_adjustments", "Undo &adjustments of this neuron", adjustments.reset)
        self._add("excluded_images", "Exclu&ded images…", show_excluded)
        for signal in (
            session.selection.images_changed,
            session.split_changed,
            session.neuron_changed,
            session.project_changed,
            adjustments.excluded_changed,
        ):
            signal.connect(self._update)
        self._update()

    def _add(self, name: str, text: str, call: Callable[[], object]) -> QAction:
        action = QAction(text, self.parent())
        action.triggered.connect(lambda _checked=False: call())
        self.actions[name] = action
        return action

    def _with_selected(self, call: Callable[[Collection[int]], object]) -> None:
        call(self._session.selection.images)

    @Slot()
    def _update(self) -> None:
        rows = self._session.selection.images
        any_top = bool(rows) and bool(self._adjustments.top_rows(rows))
        self.actions["own_concept"].setEnabled(any_top)
        self.actions["leave_out"].setEnabled(any_top)
        self.actions["exclude"].setEnabled(bool(rows) and self._adjustments.can_exclude)
        self.actions["reset_adjustments"].setEnabled(bool(self._adjustments.current))
        self.actions["excluded_images"].setEnabled(bool(self._adjustments.excluded))
