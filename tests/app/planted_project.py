"""A small real project whose answer is known: pictures on disk, activations planted class by class.

Six classes of 15 images. Layer "mixed" has six neurons:

- neuron 0 answers to the classes red and green, which differ in neurons 2 and 3: its top 30 are two groups of
  15 whose centres are 3·√2 apart, so Ward joins them at √(2·15·15/30)·3·√2 ≈ 16.4 (up to the noise);
- neuron 1 answers to blue and, less, to yellow, its top 30 again two groups;
- neurons 2 and 3 are the ones that tell red from green;
- neuron 4 answers to grey only weakly, neuron 5 to nothing: it is dead.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from backend.activations.store import ActivationWriter
from backend.images import find_images
from backend.method.parameters import Parameters
from backend.networks.model_source import ModelSource, Preprocessing
from backend.project import Project
from backend.project_folder.layer_binding import LayerBinding

CLASSES = {
    "blue": ("#3050e0", (0.0, 5.0, 0.0, 0.0, 3.0, 0.0)),
    "green": ("#20a040", (4.9, 0.0, 0.0, 3.0, 0.0, 0.0)),
    "grey": ("#808080", (0.0, 0.0, 0.0, 0.0, 0.5, 0.0)),
    "red": ("#d03020", (5.0, 0.0, 3.0, 0.0, 0.0, 0.0)),
    "white": ("#f0f0f0", (0.0, 0.3, 0.0, 0.0, 0.0, 0.0)),
    "yellow": ("#e0c020", (0.0, 4.0, 1.5, 0.0, 0.0, 0.0)),
}
PER_CLASS = 15
LAYER = "mixed"
DEEP_LAYER = "deep"
TWO_CLUSTERS = Parameters(top_n=30, distance_threshold=12.0, outlier_radius_squared=10.0)
ONE_CLUSTER_AT = 25.0
"""A d_max above every merge of neuron 0."""


def write_images(folder: Path) -> None:
    """Draw the pictures, one folder a class."""
    rng = np.random.default_rng(0)
    for name, (color, _) in CLASSES.items():
        (folder / name).mkdir(parents=True)
        for number in range(PER_CLASS):
            image = Image.new("RGB", (32, 32), "black")
            x, y = rng.integers(2, 10, 2).tolist()
            ImageDraw.Draw(image).ellipse((x, y, x + 20, y + 20), fill=color)
            image.save(folder / name / f"{number:02d}.png")


def planted_activations(labels: tuple[str | None, ...]) -> np.ndarray:
    """Return float32 (images, 6) by class, with a little noise where a class is active at all."""
    rng = np.random.default_rng(1)
    centres = np.array([CLASSES[str(label)][1] for label in labels], dtype=np.float32)
    noise = rng.normal(0, 0.05, centres.shape).astype(np.float32)
    return np.where(centres > 0, np.maximum(centres + noise, 0), 0).astype(np.float32)


def make_project(folder: Path, images: Path) -> Path:
    """Write the project and return its path; the images must be there."""
    path = folder / "planted.prism"
    with Project.create(path, ModelSource("mobilenet_v2"), find_images(images), layers=(LAYER,)) as project:
        binding = LayerBinding("0" * 64, Preprocessing(32, 32), "mean")
        project.bind_model(binding.weights_sha256, binding.preprocessing)
        activations = planted_activations(project.image_labels)
        add_layer(project, LAYER, activations, binding)
        add_layer(project, DEEP_LAYER, activations[:, ::-1], binding)
        project.save_parameters(LAYER, TWO_CLUSTERS)
    return path


def add_layer(project: Project, name: str, activations: np.ndarray, binding: LayerBinding) -> None:
    """Write one complete layer."""
    record = project.extracted_layers.add(name, activations.shape[1], binding)
    writer = ActivationWriter(record.file, *activations.shape)
    checksum = writer.write(0, activations)
    writer.close()
    project.extracted_layers.record_block(0, len(activations), {name: checksum}, {}, {})
