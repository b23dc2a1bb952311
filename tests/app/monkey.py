"""A monkey at mouse and keyboard: seeded random input for whatever windows are on screen.

The events go in where the window system's do, to windows and not to widgets: popups, modal dialogs, grabs and
shortcuts are Qt's own business, as they are for a user.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from PySide6.QtCore import QObject, QPoint, QPointF, Qt, QTimer, Slot
from PySide6.QtGui import QGuiApplication, QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

Thing = TypeVar("Thing")

Key = Qt.Key
Modifier = Qt.KeyboardModifier
Button = Qt.MouseButton

WEIGHTS = {
    "click": 28,
    "double click": 5,
    "right click": 6,
    "drag": 9,
    "move": 12,
    "wheel": 9,
    "key": 17,
    "chord": 5,
    "text": 4,
    "dismiss": 3,
    "resize": 1,
}

KEYS = (
    *(Key.Key_Tab,) * 3,
    Key.Key_Backtab,
    *(Key.Key_Up, Key.Key_Down, Key.Key_Left, Key.Key_Right) * 2,
    *(Key.Key_PageUp, Key.Key_PageDown, Key.Key_Home, Key.Key_End),
    *(Key.Key_Return, Key.Key_Enter, Key.Key_Space, Key.Key_Escape, Key.Key_Escape),
    *(Key.Key_Delete, Key.Key_Backspace, Key.Key_Menu, Key.Key_F1, Key.Key_F2, Key.Key_F3),
    *(Key.Key_Plus, Key.Key_Minus, Key.Key_0, Key.Key_Alt),
)
TEXTS = ("3", "12.5", "-1", "1e9", "nan", "apples", "max>1.5", "Ж漢😀", "c>1 ", " ", "/", "0", "'\"<b>")
MODIFIERS = (
    *(Modifier.NoModifier,) * 6,
    Modifier.ControlModifier,
    Modifier.ShiftModifier,
    Modifier.AltModifier,
    Modifier.ControlModifier | Modifier.ShiftModifier,
)
CHORD_KEYS = "ABCDEFGHILMNOPQRSUVWXYZ0+-/"
DRAG_BUTTONS = (*(Button.LeftButton,) * 5, Button.MiddleButton, Button.RightButton)
STUCK_AFTER_MS = 60
REMEMBERED = 15
_NO_INPUT = (Qt.WindowType.ToolTip, Qt.WindowType.SplashScreen)
_MouseFunction = Callable[..., None]


class Monkey(QObject):
    """Does one random thing after the other.

    Where something waits in an event loop of its own (a spin box's menu), the monkey gives it up by Esc.

    It holds on to no widget, and to a window only by its number: what Qt made itself is deleted without
    Python hearing of it.

    Parameters
    ----------
    seed
        The same seed chooses the same kinds of events; what they meet depends on the workers' pace too.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = np.random.default_rng(seed)
        self._kinds, weights = zip(*WEIGHTS.items(), strict=True)
        self._weights = np.array(weights) / sum(weights)
        self._step, self._step_seen = 0, -1
        self._acting = False
        self.recent: deque[str] = deque(maxlen=REMEMBERED)
        self._rescue = QTimer(self, interval=STUCK_AFTER_MS)
        self._rescue.timeout.connect(self._give_up_what_waits)
        self._rescue.start()

    def stop(self) -> None:
        """Go home."""
        self._rescue.stop()

    def act(self) -> None:
        """Do one thing."""
        window = self._window()
        if not window:
            return
        kind = str(self._random.choice(self._kinds, p=self._weights))
        self._step += 1
        self._acting = True
        try:
            getattr(self, "_" + kind.replace(" ", "_"))(window)
        finally:
            self._acting = False

    def chance(self, probability: float) -> bool:
        """Throw dice."""
        return bool(self._random.random() < probability)

    # --- where ------------------------------------------------------------------------------------

    def _window(self) -> int:
        """Choose a window: mostly the one in front, now and then one that it blocks; 0 if there is none."""
        windows = [
            w for w in QGuiApplication.topLevelWindows() if w.isVisible() and w.type() not in _NO_INPUT
        ]
        if not windows:
            return 0
        popups = [window for window in windows if window.type() == Qt.WindowType.Popup]
        modal = [window for window in windows if window.modality() != Qt.WindowModality.NonModal]
        front = popups[-1:] or modal[-1:]
        return int((front[0] if front and not self.chance(0.1) else self._one_of(windows)).winId())

    def _place(self, window: int) -> QPoint:
        """Choose a place, and rather one on a small widget than on a large one."""
        handle = _handle(window)
        if handle is None:
            return QPoint()
        size = handle.size()
        places = [
            QPoint(
                int(self._random.integers(max(size.width(), 1))),
                int(self._random.integers(max(size.height(), 1))),
            )
            for _ in range(int(self._random.integers(1, 8)))
        ]
        return min(places, key=lambda place: _area_at(handle.mapToGlobal(place)))

    def _one_of(self, choices: Sequence[Thing]) -> Thing:
        return choices[int(self._random.integers(len(choices)))]

    # --- what -------------------------------------------------------------------------------------

    def _note(self, what: str, window: int, place: QPoint | None = None) -> None:
        handle = _handle(window)
        if handle is None:
            return
        where = title = ""
        if place is not None:
            met = QApplication.widgetAt(handle.mapToGlobal(place))
            name = (
                f"{type(met).__name__} “{met.accessibleName() or met.objectName()}”"
                if met is not None
                else ""
            )
            where = f" at {place.x()}, {place.y()} on {name}"
        title = f"{handle.type().name} “{handle.title()}”"
        self.recent.append(f"{self._step}: {what}{where} in {title}")

    def _click(self, window: int) -> None:
        self._press_and_release(window, Button.LeftButton)

    def _right_click(self, window: int) -> None:
        self._press_and_release(window, Button.RightButton)

    def _press_and_release(self, window: int, button: Qt.MouseButton) -> None:
        place, modifier = self._place(window), self._one_of(MODIFIERS)
        self._note(f"click {button.name} {modifier.name}", window, place)
        self._mouse(QTest.mouseMove, window, place)
        self._mouse(QTest.mousePress, window, place, button, modifier)
        self._mouse(QTest.mouseRelease, window, place, button, modifier)

    def _double_click(self, window: int) -> None:
        place, modifier = self._place(window), self._one_of(MODIFIERS)
        handle = _handle(window)
        if handle is not None and handle.type() != Qt.WindowType.Popup:  # which may be gone after the first
            self._note(f"double click {modifier.name}", window, place)
            self._mouse(QTest.mouseDClick, window, place, Button.LeftButton, modifier)

    def _move(self, window: int) -> None:
        place = self._place(window)
        self._note("move", window, place)
        self._mouse(QTest.mouseMove, window, place)

    def _drag(self, window: int) -> None:
        """Press, move on, and let go; some drags are given up by Esc or the other button."""
        start, end = self._place(window), self._place(window)
        button, modifier = self._one_of(DRAG_BUTTONS), self._one_of(MODIFIERS)
        self._note(f"drag {button.name} {modifier.name} to {end.x()}, {end.y()}", window, start)
        self._mouse(QTest.mouseMove, window, start)
        self._mouse(QTest.mousePress, window, start, button, modifier)
        n_moves = int(self._random.integers(2, 8))
        for move in range(1, n_moves + 1):
            self._mouse(QTest.mouseMove, window, start + (end - start) * (move / n_moves))
            QApplication.processEvents()
        if self.chance(0.1):
            self._press_key(window, Key.Key_Escape, Modifier.NoModifier)
        elif self.chance(0.1):
            self._mouse(QTest.mousePress, window, end, Button.RightButton, modifier)
            self._mouse(QTest.mouseRelease, window, end, Button.RightButton, modifier)
        self._mouse(QTest.mouseRelease, window, end, button, modifier)

    def _wheel(self, window: int) -> None:
        place, modifier = self._place(window), self._one_of(MODIFIERS)
        turn = QPoint(0, self._one_of((-480, -120, -15, 15, 120, 480)))
        if self.chance(0.2):
            turn = turn.transposed()
        self._note(f"wheel {turn.toTuple()} {modifier.name}", window, place)
        handle = _handle(window)
        if handle is not None:
            QTest.wheelEvent(handle, QPointF(_within(handle, place)), turn, QPoint(), modifier)

    def _key(self, window: int) -> None:
        key, modifier = self._one_of(KEYS), self._one_of(MODIFIERS)
        self._note(f"key {modifier.name} {key.name}", window)
        self._press_key(window, key, modifier)

    def _chord(self, window: int) -> None:
        """Press what may be a shortcut or the mnemonic of a menu."""
        letter = self._one_of(CHORD_KEYS)
        modifier = Modifier.ControlModifier if self.chance(0.6) else Modifier.AltModifier
        if self.chance(0.3):
            modifier |= Modifier.ShiftModifier
        self._note(f"chord {modifier.name} {letter}", window)
        self._press_key(window, letter, modifier)

    def _text(self, window: int) -> None:
        text = self._one_of(TEXTS)
        self._note(f"text {text!r}", window)
        for letter in text:
            for action in (QTest.KeyAction.Press, QTest.KeyAction.Release):
                handle = _handle(window)
                if handle is not None:
                    QTest.sendKeyEvent(action, handle, Key.Key_unknown, letter, Modifier.NoModifier)

    def _dismiss(self, window: int) -> None:
        """Put away what is in front: a menu, a dialog. The main window is closed by its keeper."""
        self._note("dismiss", window)
        handle = _handle(window)
        if handle is not None and handle.type() == Qt.WindowType.Dialog and self.chance(0.5):
            handle.close()
        else:
            self._press_key(window, Key.Key_Escape, Modifier.NoModifier)

    def _resize(self, window: int) -> None:
        width, height = (int(self._random.integers(300, limit)) for limit in (1600, 1100))
        self._note(f"resize to {width}, {height}", window)
        handle = _handle(window)
        if handle is not None and handle.type() in (Qt.WindowType.Window, Qt.WindowType.Dialog):
            handle.resize(width, height)

    def _mouse(self, function: _MouseFunction, window: int, place: QPoint, *buttons: object) -> None:
        handle = _handle(window)
        if handle is None:
            return
        place = _within(handle, place)
        if buttons:
            function(handle, *buttons, place)
        else:
            function(handle, place)

    def _press_key(self, window: int, key: Qt.Key | str, modifier: Qt.KeyboardModifier) -> None:
        # Piece by piece: each may close the window, a popup at once, and QTest would send it the next.
        for half in (QTest.keyPress, QTest.keyRelease):
            handle = _handle(window)
            if handle is not None:
                half(handle, key, Modifier.NoModifier if handle.type() == Qt.WindowType.Popup else modifier)

    @Slot()
    def _give_up_what_waits(self) -> None:
        """Press Esc if nothing has happened since the last time: an event loop waits inside an event."""
        stuck = self._acting and self._step == self._step_seen
        self._step_seen = self._step
        handle = QGuiApplication.focusWindow() if stuck else None
        if handle is not None:
            self.recent.append(f"{self._step}: gave up waiting")
            self._press_key(int(handle.winId()), Key.Key_Escape, Modifier.NoModifier)


def _handle(window: int) -> QWindow | None:
    """Return the window with this number; None if it is not on screen any more."""
    for handle in QGuiApplication.topLevelWindows():
        if handle.isVisible() and handle.winId() == window:
            return handle
    return None


def _within(handle: QWindow, place: QPoint) -> QPoint:
    """Return the place in the window that is nearest: it may be smaller than it was a moment ago."""
    right, bottom = max(handle.width() - 1, 0), max(handle.height() - 1, 0)
    return QPoint(min(max(place.x(), 0), right), min(max(place.y(), 0), bottom))


def _area_at(place: QPoint) -> int:
    widget = QApplication.widgetAt(place)
    return widget.width() * widget.height() if widget is not None else 1 << 30
