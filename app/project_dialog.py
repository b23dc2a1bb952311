"""What the open project holds: model, images, layers, and every image that is left out, with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from backend.networks.model_source import ModelSource
from backend.project_folder.layer_origin import LayerOrigin, origin_sentences
from backend.project_folder.project_summary import LayerSummary, ProjectSummary
from widgets.labels import heading_label, secondary_label
from widgets.quantity_text import bytes_text, count_text
from widgets.text_table import text_table
from widgets.theme import MARGIN, SPACING

if TYPE_CHECKING:
    from backend.project import Freshness, Project

WIDTH = 720
HASH_DIGITS = 16


class ProjectDialog(QDialog):
    """Facts of a project, its layers, and the files that are left out.

    Attributes
    ----------
    left_out : list of (str, str)
        Path and reason of each file that is left out.
    """

    def __init__(
        self, project: Project, parent: QWidget | None = None, freshness: Freshness | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"About the project {project.name}")
        summary = project.summary()
        self.left_out = [
            *((image.path, image.reason) for image in project.skipped_images()),
            *((file.path, file.reason) for file in project.unused_files()),
        ]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(SPACING)
        layout.addWidget(heading_label(project.name, 1.3))
        layout.addLayout(_facts(summary, freshness))
        layout.addWidget(heading_label("Layers"))
        headers = ("Layer", "Neurons", "Images", "On disk", "From")
        layout.addWidget(text_table(headers, _layer_rows(summary)))
        for layer in summary.layers:
            if layer.origin is not None:
                layout.addWidget(_origin_label(layer.name, layer.origin))
        layout.addWidget(heading_label("Files left out"))
        if self.left_out:
            layout.addWidget(text_table(("File", "Reason"), self.left_out), 1)
        else:
            layout.addWidget(QLabel("None: every image could be read."))
            layout.addStretch(1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
        self.resize(WIDTH, layout.totalHeightForWidth(WIDTH))


def idle_text(project: Project) -> str:
    """Return one line about a project for the status bar."""
    parts = [count_text(project.n_images, "image"), project.model_source.title]
    if project.read_only:
        parts.append("read-only: changes are not kept")
    return " · ".join(parts)


def _facts(summary: ProjectSummary, freshness: Freshness | None) -> QFormLayout:
    classes = count_text(summary.n_classes, "class", "classes") if summary.n_classes else "no classes"
    source = ModelSource(summary.architecture)
    model = source.title
    if summary.input_size is not None:
        model += f", input {summary.input_size} × {summary.input_size} pixels"
    images = f"{count_text(summary.n_images, 'image')}, {classes}, in {summary.images_root}"
    if not summary.images_found:
        images += " (not there at present)"
    rows = {
        "Folder": str(summary.path),
        "Made": summary.created.replace("T", " ").partition("+")[0] + " UTC",
        "Network": model,
        **({} if source.is_imported else {"Weights": _weights(summary)}),
        "Images": images,
        **({} if freshness is None else {"Since then": freshness.brief or "Nothing changed."}),
        "Named": count_text(summary.n_named_concepts, "concept"),
        "Imported with" if source.is_imported else "Computed with": ", ".join(
            f"{name} {version}" for name, version in summary.versions.items()
        )
        or "–",
    }
    form = QFormLayout()
    form.setHorizontalSpacing(2 * SPACING)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    for title, text in rows.items():
        label = QLabel(text)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        form.addRow(f"{title}:", label)
    return form


def _weights(summary: ProjectSummary) -> str:
    origin = summary.weights or "the network's own"
    if summary.weights_sha256 is None:
        return origin
    return f"{origin}, SHA-256 {summary.weights_sha256[:HASH_DIGITS]}…"


def _origin_label(layer: str, origin: LayerOrigin) -> QLabel:
    """Say where a layer was imported from, and what became of that file; its content is not read here."""
    label = secondary_label(" ".join(origin_sentences(layer, origin, content=False)))
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _layer_rows(summary: ProjectSummary) -> list[tuple[str, ...]]:
    known = [_layer_row(layer) for layer in summary.layers]
    begun = {layer.name for layer in summary.layers}
    return [
        *known,
        *((name, "–", "not begun", "–", "–") for name in summary.planned_layers if name not in begun),
    ]


def _layer_row(layer: LayerSummary) -> tuple[str, ...]:
    done = f"{layer.n_done:,}" if layer.complete else f"{layer.n_done:,} of {layer.n_images:,}"
    origin = "extracted" if layer.origin is None else layer.origin.file
    return (layer.name, f"{layer.n_neurons:,}", done, bytes_text(layer.n_bytes), origin)
