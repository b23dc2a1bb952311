"""Help: about this program, the shortcut sheet, and a short guide to the method."""

from __future__ import annotations

import platform
from collections.abc import Sequence

from PySide6.QtCore import Qt, qVersion
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from widgets.labels import heading_label, secondary_label
from widgets.theme import MARGIN, SPACING

GUIDE = """
<h3>What you see</h3>
<p>A neuron (a channel of a layer) of a vision network often responds to several unrelated things: it is
<i>polysemantic</i>. Neuron Prism splits it into the concepts it responds to, in four steps.</p>
<ol>
<li><b>Top images.</b> The N images of your dataset that activate the neuron most.</li>
<li><b>Dendrogram.</b> Each image is a point in the layer's activation space. Near points are merged first,
near groups next; the height of a merge is the distance between what it joins. The horizontal line is the
distance threshold
<b>d_max</b>: every merge at or above it is cut, and what hangs together below it is one cluster.</li>
<li><b>Clusters.</b> k-means with that number of clusters refines them. An image farther from its cluster's
centre than the outlier radius leaves it; a cluster with too few images left is dropped.</li>
<li><b>Concept vectors.</b> The mean of a cluster's activations, scaled to length 1: a direction of
activation space.</li>
</ol>
<h3>How to work with it</h3>
<p>Choose a neuron on the left. Drag the line in the dendrogram up and down until the groups mean something
to you; the images below follow. A click on a branch selects its images, with Ctrl or Shift several branches;
a double click zooms in, and where there is room the leaves show their pictures. Name what you recognise on
the right: names are kept with the images they belong to.</p>
<p><b>Max-projecting</b> shows, over the whole dataset, the images that point most in the direction of each
concept. Turn off the concept's own members to see whether it holds for images that did not make it.</p>
<p>Where the tree is wrong to your eye, right click on a subtree or on pictures: make them a concept of their
own, or leave them out. What was adjusted by hand is marked everywhere, and can be undone. A picture that
should not count at all, a watermark or a broken scan, can be excluded from the whole analysis.</p>
<p><b>Feature visualisation</b> draws a picture that excites the neuron or shows the concept.</p>
<p><b>Embedding</b> puts the neuron's images into a plane, like ones near each other. Encircle some to select
them; zoom in to see them as pictures. Distances between groups mean little there.</p>
<h3>Reading the numbers</h3>
<p>Activations are mostly positive, so any two images look alike to a cosine: beside every similarity stands
that of as many <i>random</i> images. Only the difference says something.</p>
<h3>Source</h3>
<p>L. O'Mahony, V. Andrearczyk, H. Müller, M. Graziani: Disentangling Neuron Representations with Concept
Vectors, CVPR Workshops 2023, arXiv 2304.09707.</p>
"""

PANEL_SHORTCUTS = (
    ("Dendrogram: move the threshold a little", "↑ ↓"),
    ("Dendrogram: move the threshold to the next merge", "Page Up, Page Down"),
    ("Dendrogram: every image apart, all in one cluster", "Home, End"),
    ("Dendrogram: give up dragging, select nothing", "Esc"),
    ("Dendrogram: larger, smaller, all of it", "Ctrl++, Ctrl+−, Ctrl+0"),
    ("Dendrogram: move along the leaves", "← →"),
    ("Dendrogram: zoom to what is selected", "Enter"),
    ("Images: show large", "Space, Enter"),
    ("Images: larger, smaller", "Ctrl+wheel"),
    ("Embedding: go to the next image, add it, select it", "← → ↑ ↓, Shift+arrow, Ctrl+Space"),
    ("Embedding: larger, smaller, all images", "+, −, 0"),
    ("Embedding: give up a lasso, select nothing", "Esc"),
)


def version() -> str:
    """Return "Version 0.1.0" of what is installed, or that it runs from its source code."""
    # Imports the parsers of e-mail too, which the window need not wait for.
    from importlib import metadata

    try:
        return f"Version {metadata.version('neuron-prism')}"
    except metadata.PackageNotFoundError:
        return "Running from source code"


class AboutDialog(QDialog):
    """Name, version, purpose and what it runs on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About Neuron Prism")
        text = QLabel(
            "<p>Splits the neurons of a vision network into the distinct concepts they respond to, "
            "the way a prism splits white light.</p>"
            "<p>The method is that of O'Mahony, Andrearczyk, Müller and Graziani, "
            "“Disentangling Neuron Representations with Concept Vectors” (2023).</p>"
            f"<p>Python {platform.python_version()} · Qt {qVersion()} · {platform.system()} · licence MIT</p>"
        )
        text.setWordWrap(True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        text.setMinimumWidth(420)
        _fill(self, [heading_label("Neuron Prism", 1.4), secondary_label(version()), text])


class ShortcutsDialog(QDialog):
    """Every shortcut in one table."""

    def __init__(self, rows: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        rows = [*rows, *PANEL_SHORTCUTS]
        table = QTableWidget(len(rows), 2)
        table.setHorizontalHeaderLabels(["What", "Keys"])
        table.verticalHeader().hide()
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setAlternatingRowColors(True)
        table.setShowGrid(False)
        table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        table.horizontalHeader().setHighlightSections(False)
        table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        for row, texts in enumerate(rows):
            for column, text in enumerate(texts):
                table.setItem(row, column, QTableWidgetItem(text))
        table.setMinimumSize(520, 480)
        table.setAccessibleName("Keyboard shortcuts")
        _fill(self, [table])


class GuideDialog(QDialog):
    """A short guide to the method."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("The method in short")
        browser = QTextBrowser()
        browser.document().setDocumentMargin(2 * MARGIN)
        browser.setHtml(GUIDE)
        browser.setMinimumSize(600, 560)
        browser.setAccessibleName("Guide to the method")
        _fill(self, [browser])


def _fill(dialog: QDialog, parts: Sequence[QWidget]) -> None:
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
    layout.setSpacing(SPACING)
    for part in parts:
        layout.addWidget(part)
    layout.addWidget(buttons)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
