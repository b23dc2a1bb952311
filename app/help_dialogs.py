"""Help: about this program, and a short guide to the method."""

from __future__ import annotations

import platform

from PySide6.QtCore import QSize, Qt, qVersion
from PySide6.QtWidgets import QDialog, QLabel, QWidget

from app.dialog_frame import ROOM_AROUND, fill_dialog
from widgets.guide.guide_browser import GuideBrowser
from widgets.labels import heading_label, secondary_label

GUIDE = """
<h3>What you see</h3>
<p>A neuron (a channel of a layer) of a vision network often responds to several unrelated things, here to
apples and to pitches: it is <i>polysemantic</i>. Neuron Prism splits it into the concepts it responds
to.</p>
<p><b>1, 2 &nbsp;Images and layer.</b> Your images go through the network once. Of each the layer's
activations are kept: one number a neuron, averaged over the picture.</p>
<p><b>3 &nbsp;Top images.</b> The N images of your dataset that activate the chosen neuron most.</p>
<p><b>4 &nbsp;Dendrogram.</b> Each image is a point in the layer's activation space. Near points are merged
first, near groups next; the height of a merge is the distance between what it joins. The horizontal line is
the distance threshold <b>d_max</b>: every merge at or above it is cut, and what hangs together below it is
one cluster.</p>
<p><b>5 &nbsp;Clusters.</b> k-means with that number of clusters refines them. An image farther from its
cluster's centre than the outlier radius leaves it; a cluster with too few images left is dropped.</p>
<p><b>6 &nbsp;Concept vectors.</b> The mean of a cluster's activations, scaled to length 1: a direction of
activation space. The neuron's own direction lies between them.</p>
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
        fill_dialog(self, [heading_label("Neuron Prism", 1.4), secondary_label(version()), text])


class GuideDialog(QDialog):
    """A short guide to the method, which may stay open beside the work."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("The method in short")
        self.browser = GuideBrowser(GUIDE)
        self.browser.setMinimumSize(520, 360)
        fill_dialog(self, [self.browser])
        room = self.screen().availableSize() - ROOM_AROUND
        self.resize(QSize(840, 860).boundedTo(room))
