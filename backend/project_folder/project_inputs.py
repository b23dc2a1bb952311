"""What a project was made of: its model and its images."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from backend.activations.distributed.rank_signs import RUN_SETTING
from backend.errors import ProjectError
from backend.image_files.grey_scaling import DEFAULT_GREY_SCALING, GreyScaling
from backend.networks.model_source import ModelSource, Pooling, Precision, Preprocessing
from backend.project_folder.file_state import is_folder
from backend.project_folder.model_binding import ModelBinding
from backend.project_folder.model_files import ModelFile, ModelFileKind
from backend.project_folder.project_activations import ActivationReader
from backend.project_folder.project_annotations import AnnotationTable
from backend.project_folder.project_creation import PROJECT_SUFFIX, relative_root
from backend.project_folder.project_images import (
    ImageCheck,
    ImageHashes,
    ImageTable,
    SkippedImage,
    UnusedFile,
)
from backend.project_folder.project_layers import LayerTable
from backend.project_folder.project_opening import OpenedFolder
from backend.project_folder.project_precision import PrecisionCheckTable
from backend.task import Task


class ProjectInputs:
    """The part of a :class:`backend.project.Project` that says what it was made of.

    Attributes
    ----------
    path : Path
        The project's folder.
    read_only : bool
        Whether changes are refused.
    recovered : bool
        Whether the backup took the place of a database that was damaged or missing. Of the activations those
        rows count that the backup tells of.
    recovered_from : Path or None
        The damaged database that was put aside then; None if there was none.
    images, extracted_layers : ImageTable, LayerTable
        The tables that extraction works on.
    """

    def __init__(self, opened: OpenedFolder) -> None:
        database = opened.database
        self.path = opened.path
        self.read_only = database.read_only
        self.recovered = opened.recovered
        self.recovered_from = opened.recovered_from
        self._opened = opened
        self._database = database
        ((n_images,),) = database.query("SELECT count(*) FROM images")
        self._n_images = int(n_images)
        self._values = database.read_values("project")
        self.images = ImageTable(database, self._find_images_root())
        self.extracted_layers = LayerTable(database, self._n_images)
        self._binding = ModelBinding(database, self.extracted_layers, self.model_source)
        self._excluded = self.images.excluded()
        self._reader = ActivationReader(
            self.extracted_layers, lambda: self._excluded, read_only=self.read_only
        )
        self._precision_checks = PrecisionCheckTable(database)
        self._annotations = AnnotationTable(database, self._n_images)

    @property
    def name(self) -> str:
        """The name people gave it: that of the folder without ``.prism``."""
        return self.path.name.removesuffix(PROJECT_SUFFIX)

    @property
    def model_source(self) -> ModelSource:
        """Where the model comes from."""
        return ModelSource.from_dict(self._values["model_source"])

    @property
    def preprocessing(self) -> Preprocessing | None:
        """How images become the model's input; None before the first extraction."""
        return self._binding.preprocessing

    @property
    def grey_scaling(self) -> GreyScaling:
        """The rule by which deep grey values of its images become eight bits for the model."""
        if self.preprocessing is not None:
            return self.preprocessing.grey_scaling
        return self.model_source.grey_scaling or DEFAULT_GREY_SCALING

    @property
    def weights_sha256(self) -> str | None:
        """Hash of the model's weights; None before the first extraction."""
        return self._binding.weights_sha256

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Names of the classifier's outputs, if known."""
        return self._binding.class_names

    @property
    def model_files(self) -> tuple[ModelFile, ...]:
        """The model's files as they were when activations were computed with it."""
        return self._binding.files

    @property
    def planned_layers(self) -> tuple[str, ...]:
        """The layers that were chosen when the project was made."""
        return tuple(self._values["planned_layers"])

    @property
    def planned_poolings(self) -> dict[str, Pooling]:
        """Layer → pooling that was chosen when the project was made, where one was."""
        return dict(self._values.get("planned_poolings", {}))

    @property
    def planned_precision(self) -> Precision:
        """The precision that was chosen when the project was made."""
        precision: Precision = self._values.get("planned_precision", "float32")
        return precision

    @property
    def block_rows(self) -> int:
        """Images in a block of activations: blocks begin at multiples of it."""
        return int(self._values["block_rows"])

    def require_model(self, weights_sha256: str, preprocessing: Preprocessing) -> None:
        """Make sure that activations of a model go together with those the project holds.

        Raises
        ------
        ProjectError
            If the project holds activations of other weights or another preprocessing.
        """
        self._binding.require(weights_sha256, preprocessing)

    def bind_model(
        self, weights_sha256: str, preprocessing: Preprocessing, class_names: Iterable[str] | None = None
    ) -> None:
        """Tie the project to the model that its first activations come from; any other is refused.

        Raises
        ------
        ProjectError
            As :meth:`require_model`.
        """
        self._binding.bind(weights_sha256, preprocessing, class_names)

    def name_network(self, source: ModelSource) -> None:
        """Name the network of a project that has none, because its activations were computed elsewhere.

        Raises
        ------
        ProjectError
            If the project has a network.
        """
        if not self.model_source.is_imported:
            raise ProjectError(
                f"The project {self.path} belongs to the network {self.model_source.architecture} already."
            )
        self._database.write_values("project", {"model_source": source.to_dict()})
        self._values = self._database.read_values("project")
        self._binding = ModelBinding(self._database, self.extracted_layers, source)

    def rebind_model(self, weights_sha256: str, preprocessing: Preprocessing) -> None:
        """Take all activations as outdated and tie the project to another model, to compute them with that.

        What people added stays, and so do imported layers.
        """
        self._disown_left_journals()
        self._binding.rebind(weights_sha256, preprocessing)
        self._reader.forget_indices()

    def confirm_model_files(self) -> None:
        """Take the model's files as they are now, since they were found to give the activations on record."""
        self._binding.confirm_files()

    def relocate_model_file(self, kind: ModelFileKind, path: str | os.PathLike[str]) -> None:
        """Take another place for the weights file or the Python file of the model.

        Raises
        ------
        ProjectError
            If the file there cannot be read, or has another content than the one that activations came from.
        """
        self._binding.relocate(kind, Path(path).absolute())
        self._values = self._database.read_values("project")

    # Images

    @property
    def n_images(self) -> int:
        """Number of images, which is the number of rows of every layer."""
        return self._n_images

    @property
    def image_paths(self) -> tuple[str, ...]:
        """Paths by row, relative to :attr:`images_root`, with forward slashes."""
        return self.images.paths

    @property
    def image_labels(self) -> tuple[str | None, ...]:
        """Classes by row; None in a flat folder."""
        return self.images.labels

    @property
    def images_root(self) -> Path:
        """The folder of the images. It may have moved: see :meth:`relocate_images`."""
        return self.images.root

    def image_path(self, row: int) -> Path:
        """Return where the image of a row is; :class:`ProjectError` if there is no such row."""
        return self.images.path(row)

    def skipped_images(self) -> tuple[SkippedImage, ...]:
        """Return the images that could not be read, whose rows are NaN, by row."""
        return self.images.skipped()

    @property
    def excluded_images(self) -> frozenset[int]:
        """Rows of the images that a person took out of the analysis.

        No neuron index, and so nothing that is made with one, counts them; their activations stay.
        """
        return self._excluded

    def set_excluded_images(self, rows: Collection[int]) -> None:
        """Take exactly these images out of the analysis.

        Raises
        ------
        ProjectError
            If one is not a row of the project, or the project is read-only; nothing is changed then.
        """
        self.images.set_excluded(rows)
        self._excluded = frozenset(int(row) for row in rows)

    def unused_files(self) -> tuple[UnusedFile, ...]:
        """Return the files of the images folder that were passed over when the project was made."""
        return self.images.unused_files()

    def changed_images(self, *, content: bool = False, task: Task | None = None) -> tuple[int, ...]:
        """Return the rows whose file was changed or removed since it was read.

        Parameters
        ----------
        content
            Whether files are compared by content where their hash is on record (:meth:`hash_images`): one
            that was touched and is equal is not changed. Else their size and time of modification are.
        """
        return self.images.changes(content=content, task=task).rows

    def hash_images(self, *, task: Task | None = None) -> ImageHashes:
        """Record the content of the images that are as they were read, so that it can be compared later."""
        return self.images.hash_contents(task=task)

    def recompute_images(self, rows: Iterable[int]) -> None:
        """Take the activations of these images as outdated: the next extraction computes them again."""
        self._disown_left_journals()
        self.extracted_layers.forget_images(rows)
        self._reader.forget_indices()

    def check_images_root(self, root: str | os.PathLike[str], *, task: Task | None = None) -> ImageCheck:
        """Look for the project's images in another folder, changing nothing."""
        return self.images.check(Path(root).absolute(), task=task)

    def relocate_images(self, root: str | os.PathLike[str], *, task: Task | None = None) -> ImageCheck:
        """Take another folder for the images, if all of them are there.

        Raises
        ------
        ProjectError
            If images are missing there or of another size (the sentence says how many, and names some).
        """
        folder = Path(root).absolute()
        check = self.images.relocate(folder, task=task)
        values = {"images_root": str(folder), "images_root_relative": relative_root(folder, self.path)}
        self._database.write_values("project", values)
        self._values = self._database.read_values("project")
        return check

    def _disown_left_journals(self) -> None:
        """Let nothing count any more that ranks of a run that died may have left: it is outdated."""
        self._database.write_values("settings", {RUN_SETTING: None})

    def _find_images_root(self) -> Path:
        """Return the recorded folder, or, when project and images moved together, where it is now."""
        root = Path(self._values["images_root"])
        relative = self._values["images_root_relative"]
        if is_folder(root) or relative is None:
            return root
        moved = Path(os.path.normpath(self.path / relative))
        return moved if is_folder(moved) else root
