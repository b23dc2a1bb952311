"""The order in which Tab visits controls, where Qt's own order passes over some."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def visit_after(first: QWidget, group: QWidget) -> None:
    """Let Tab go from a control to all those in a group, in the order in which they were made.

    Tab enters a widget with a focus proxy at the proxy, and passes over what is before that.
    """
    window = first.window()
    for control in group.findChildren(QWidget):
        takes_focus = control.focusPolicy() & Qt.FocusPolicy.TabFocus and control.focusProxy() is None
        if takes_focus and control.window() is window:  # a combo box's list is in a window of its own
            QWidget.setTabOrder(first, control)
            first = control
