"""The choice of the network: one of torchvision's or timm's, or what a Python file of the user's returns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QCompleter,
    QHBoxLayout,
    QLineEdit,
    QRadioButton,
    QWidget,
)

from backend.networks.model_source import LARGEST_INPUT_SIZE, TIMM_PREFIX, ModelSource
from widgets.labels import secondary_label
from widgets.new_project.form_section import FormSection, PathEdit
from widgets.new_project.new_project_request import ModelChoice
from widgets.number_boxes import WholeNumberBox

_OWN_SIZE = 0  # shown as the network's own input size
_TYPING_PAUSE = 300  # milliseconds
_LONGEST_LIST = 14  # names on show at once
_INSTALL_TIMM = 'python -m pip install "neuron-prism[timm]"'
_WEIGHTS_FILES = "Weights (*.pth *.pt *.safetensors);;All files (*)"


class ModelSection(FormSection):
    """Chooses a network.

    Signals
    -------
    choice_changed(ModelChoice or None)
        Another network, or none as long as the choice is not complete.
    """

    choice_changed = Signal(object)

    def __init__(self, title: str = "1   Network", parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._torchvision_names: tuple[str, ...] = ()
        self._timm_names: tuple[str, ...] = ()
        self._timm_is_known = False
        self._last: ModelChoice | None = None
        self._name_error = ""
        self._name_fields: list[QWidget] = []
        self._python_fields: list[QWidget] = []
        self._build_kind()
        self._build_name()
        self._build_python()
        self._build_common()
        self._report_later = QTimer(self, singleShot=True, interval=_TYPING_PAUSE)
        self._report_later.timeout.connect(self._report)
        self._connect()
        self._show_kind()

    # --- building ------------------------------------------------------------------------------------

    def _build_kind(self) -> None:
        self.name_button = QRadioButton("By name (&torchvision, timm)")
        self.name_button.setToolTip("One of torchvision's classification networks, or of the package timm.")
        self.python_button = QRadioButton("From &Python code of mine")
        self.python_button.setToolTip("A function in a Python file that returns the network.")
        self.name_button.setChecked(True)
        group = QButtonGroup(self)
        kind = QWidget()
        row = QHBoxLayout(kind)
        row.setContentsMargins(0, 0, 0, 0)
        for button in (self.name_button, self.python_button):
            group.addButton(button)
            row.addWidget(button)
        row.addStretch(1)
        self.grid.addWidget(kind, 0, 0, 1, 2)

    def _build_name(self) -> None:
        self.name_box = QComboBox()
        self.name_box.setEditable(True)
        self.name_box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        line = self.name_box.lineEdit()
        if line is not None:
            line.setPlaceholderText("Type to search: mobilenet_v2, resnet50, timm:vit …")
            line.setClearButtonEnabled(True)
        self.name_box.setMaxVisibleItems(_LONGEST_LIST)
        label = self.add_row(
            "N&ame",
            self.name_box,
            "The network's name in torchvision, or timm: and its name in timm. Any part of a name finds it.\n"
            "A set of timm's weights may follow the name: timm:resnet50.a1_in1k.",
        )
        self.timm_hint = secondary_label()
        self.timm_hint.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.grid.addWidget(self.timm_hint, self.grid.rowCount(), 1)
        self._name_fields += [label, self.name_box]

    def _build_python(self) -> None:
        self.file_edit = PathEdit("file", "Choose the Python file", "Python files (*.py);;All files (*)")
        self.callable_edit = QLineEdit()
        self.callable_edit.setPlaceholderText("build_model")
        self.trust_box = QCheckBox("I trust this file: it will run with my rights.")
        self.trust_box.setToolTip("Python code can do anything that you can. Run only what you have read.")
        rows = (
            ("Python &file", self.file_edit, "The file that holds the function."),
            ("Fun&ction", self.callable_edit, "Called without arguments; returns a torch.nn.Module."),
        )
        for title, field, tooltip in rows:
            self._python_fields += [self.add_row(title, field, tooltip), field]
        self.grid.addWidget(self.trust_box, self.grid.rowCount(), 1)
        self._python_fields.append(self.trust_box)

    def _build_common(self) -> None:
        self.weights_edit = PathEdit("file", "Choose the weights", _WEIGHTS_FILES)
        self.add_row(
            "&Weights",
            self.weights_edit,
            "A .pth, .pt or .safetensors file with the network's state. No code in it is run.",
        )
        self.input_size_box = WholeNumberBox(_OWN_SIZE, LARGEST_INPUT_SIZE)
        self.input_size_box.setSpecialValueText("network's own")
        self.input_size_box.setSuffix(" px")
        self.input_size_box.setSingleStep(32)
        self.add_row(
            "Input si&ze",
            self.input_size_box,
            "Height and width of the network's input in pixels. The lowest value keeps the network's own.",
        )

    def _connect(self) -> None:
        self.name_button.toggled.connect(self._show_kind)
        self.name_box.activated.connect(self._report)
        self.name_box.editTextChanged.connect(self._report_soon)
        self.file_edit.path_changed.connect(self._file_changed)
        self.callable_edit.textChanged.connect(self._report_soon)
        self.trust_box.toggled.connect(self._report)
        self.weights_edit.path_changed.connect(self._report)
        self.input_size_box.valueChanged.connect(self._report_soon)

    # --- content -------------------------------------------------------------------------------------

    def set_torchvision_names(self, names: Sequence[str]) -> None:
        """Offer torchvision's networks; what is typed already stays."""
        self._torchvision_names = tuple(names)
        self._offer_names()

    def set_timm_names(self, names: Sequence[str], hint: str = "") -> None:
        """Offer timm's networks too, whose names begin with ``timm:``.

        Parameters
        ----------
        names
            None: timm is not installed.
        hint
            A sentence that takes the place of how to install it.
        """
        self._timm_names = tuple(names)
        self._timm_is_known = True
        how_to_install = "" if names else f"More networks with the package timm: {_INSTALL_TIMM}"
        self.timm_hint.setText(hint or how_to_install)
        self._offer_names()
        self._show_kind()

    def _offer_names(self) -> None:
        line = self.name_box.lineEdit()
        typed, cursor = self.name_box.currentText(), line.cursorPosition() if line is not None else 0
        names = [*self._torchvision_names, *self._timm_names]
        self.name_box.blockSignals(True)
        self.name_box.clear()
        self.name_box.addItems(names)
        self.name_box.setCurrentIndex(-1)
        self.name_box.setEditText(typed)
        self.name_box.blockSignals(False)
        if line is not None:
            line.setCursorPosition(cursor)
        completer = QCompleter(names, self.name_box)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setMaxVisibleItems(_LONGEST_LIST)
        self.name_box.setCompleter(completer)
        self._report()

    def set_own_input_size(self, pixels: int | None) -> None:
        """Name the network's own input size in pixels; None: it is not known yet."""
        named = f" ({pixels})" if pixels is not None else ""
        self.input_size_box.setSpecialValueText(f"network's own{named}")

    def choice(self) -> ModelChoice | None:
        """Return the network as chosen; None while something is missing."""
        architecture = self._network_name() if self._is_by_name() else self._python_factory()
        if not architecture:
            return None
        size = self.input_size_box.value()
        source = ModelSource(
            architecture, self.weights_edit.path() or None, None if size == _OWN_SIZE else size
        )
        return ModelChoice(source, allow_code=not self._is_by_name())

    def missing(self) -> str:
        """Return a sentence that says what the choice lacks; empty if it is complete."""
        if self.choice() is not None:
            return ""
        if self._is_by_name():
            if self._typed().startswith(TIMM_PREFIX) and not self._timm_is_known:
                return "Listing timm's networks…"
            return "Choose a network."
        if not self.file_edit.path():
            return "Choose the Python file that makes the network."
        if not self.callable_edit.text().strip():
            return "Name the function that returns the network."
        return "Confirm that the Python file may run."

    def _is_by_name(self) -> bool:
        return self.name_button.isChecked()

    def _typed(self) -> str:
        return self.name_box.currentText().strip()

    def _network_name(self) -> str:
        """Return the name as typed if it is one; which sets of weights timm has, loading tells."""
        name = self._typed()
        without_set = name.partition(".")[0]
        return name if name in self._torchvision_names or without_set in self._timm_names else ""

    def _python_factory(self) -> str:
        file, name = self.file_edit.path(), self.callable_edit.text().strip()
        return f"{file}:{name}" if file and name and self.trust_box.isChecked() else ""

    # --- what the user does --------------------------------------------------------------------------

    @Slot()
    def _show_kind(self) -> None:
        by_name = self._is_by_name()
        for field in self._name_fields:
            field.setVisible(by_name)
        for field in self._python_fields:
            field.setVisible(not by_name)
        self.timm_hint.setVisible(by_name and bool(self.timm_hint.text()))
        placeholder = "published ones, downloaded once" if by_name else "what the function returns"
        self.weights_edit.line.setPlaceholderText(placeholder)
        self._report()

    @Slot()
    def _file_changed(self) -> None:
        # Trust was given to another file.
        self.trust_box.setChecked(False)
        problem = ""
        path = self.file_edit.path()
        if path and not Path(path).is_file():
            problem = f"There is no file {path}."
        self._report()
        self.set_error(problem)

    @Slot()
    def _report_soon(self) -> None:
        self._report_later.start()

    @Slot()
    def _report(self) -> None:
        self._report_later.stop()
        choice = self.choice()
        problem = self._name_problem() if self._is_by_name() else ""
        if problem:
            self.set_error(problem)
        elif choice != self._last or self.error() == self._name_error:
            self.set_error("")
        self._name_error = problem
        if choice != self._last:
            self._last = choice
            self.choice_changed.emit(choice)

    def _name_problem(self) -> str:
        """Say why no network's name begins as what is typed; "" if one does, or it is not known yet."""
        typed = self._typed()
        begun = typed.casefold()
        if any(begun in name.casefold() for name in (*self._torchvision_names, *self._timm_names)):
            return ""
        if self._network_name() or not self._torchvision_names:
            return ""
        if self._timm_is_known:
            if self._timm_names:
                return f"Neither torchvision nor timm has a network “{typed}”: choose one of the list."
            if begun.startswith(TIMM_PREFIX):
                return f"timm is not installed: {_INSTALL_TIMM}, then open this dialog again."
        elif begun.startswith(TIMM_PREFIX) or TIMM_PREFIX.startswith(begun):
            return ""
        return f"torchvision has no classification network “{typed}”: choose one of the list."
