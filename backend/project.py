"""A project on disk: a folder ``NAME.prism`` with what was computed, from what, and what people added."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from backend.activations.distributed.left_journals import keep_left_work
from backend.activations.precision_check_result import PrecisionCheck
from backend.errors import ProjectError
from backend.image_files.grey_scaling import DEFAULT_GREY_SCALING, GreyScaling
from backend.method.adjustments import Adjustments
from backend.method.parameters import Parameters, Suggestion
from backend.named_concepts import NamedConcept
from backend.networks.model_source import ModelSource, Pooling, Precision, Preprocessing
from backend.neurons import NeuronIndex
from backend.project_folder.model_binding import ModelBinding
from backend.project_folder.model_files import ModelFile
from backend.project_folder.project_activations import ActivationReader, Activations
from backend.project_folder.project_annotations import AnnotationTable
from backend.project_folder.project_creation import (
    BLOCK_ROWS,
    PROJECT_SUFFIX,
    ExtractionPlan,
    create_project_folder,
    relative_root,
)
from backend.project_folder.project_database import ProjectDamagedError
from backend.project_folder.project_freshness import Freshness, check_freshness
from backend.project_folder.project_images import (
    ImageCheck,
    ImageHashes,
    ImageTable,
    SkippedImage,
    UnusedFile,
    is_folder,
)
from backend.project_folder.project_layers import LayerRecord, LayerTable
from backend.project_folder.project_lock import ProjectInUseError
from backend.project_folder.project_opening import OpenedFolder, open_project_folder
from backend.project_folder.project_precision import PrecisionCheckTable
from backend.project_folder.project_summary import ProjectSummary, summarise
from backend.task import Task

if TYPE_CHECKING:
    from backend.images import ImageSet

__all__ = [
    "PROJECT_SUFFIX",
    "Freshness",
    "ImageCheck",
    "LayerRecord",
    "Project",
    "ProjectDamagedError",
    "ProjectInUseError",
    "ProjectSummary",
    "SkippedImage",
    "UnusedFile",
]


class Project:
    """A project that is open. Made by :meth:`create` or :meth:`open`; a context manager that closes it.

    Any thread may use it. Every change is on disk when the call returns (within milliseconds); no call
    computes while it holds the database. One process at a time has a project open for writing, any number
    read-only.

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

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        source: ModelSource,
        images: ImageSet,
        *,
        layers: Iterable[str] = (),
        poolings: Mapping[str, Pooling] | None = None,
        precision: Precision = "float32",
        settings: Mapping[str, Any] | None = None,
        block_rows: int = BLOCK_ROWS,
    ) -> Project:
        """Make a new project and open it for writing.

        Parameters
        ----------
        path
            The folder to make, by custom ``NAME.prism``.
        source
            The model that activations will come from.
        images
            The images; their order gives the rows.
        layers
            Layers to extract, remembered until the extraction.
        poolings, precision
            How they are to be pooled (layer → pooling; those that are not in it by the default of their
            output) and computed, remembered like them.
        settings
            First values for :meth:`get_setting`, anything that JSON can hold.
        block_rows
            Images in a block, which is what an extraction that is cut off computes again at most.

        Raises
        ------
        ProjectError
            If the folder exists and is not empty, cannot be written, or there are no images.
        """
        folder = Path(path).absolute()
        plan = ExtractionPlan(tuple(layers), poolings or {}, precision)
        create_project_folder(folder, source, images, plan, settings or {}, block_rows)
        return cls.open(folder)

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, read_only: bool = False, recover: bool = False) -> Project:
        """Open a project.

        Parameters
        ----------
        path
            Its folder, or the ``project.sqlite`` in it.
        read_only
            Whether to refuse changes; the folder need not be writable then, and another process may write.
        recover
            Whether to go back to the backup if the database is damaged; the damaged file is kept. See
            :attr:`recovered_from`.

        Raises
        ------
        ProjectInUseError
            If it is open for writing elsewhere.
        ProjectDamagedError
            If its database is damaged; the attribute ``backup`` says whether ``recover=True`` can help.
        ProjectError
            If there is no project, it is of a newer version, or cannot be read or written.
        """
        opened = open_project_folder(Path(path).absolute(), read_only=read_only, recover=recover)
        try:
            project = cls(opened)
            if not read_only:
                keep_left_work(project)
            return project
        except BaseException:
            opened.close()
            raise

    def close(self) -> None:
        """Back up the database, close it, and let other processes write. Closing twice is allowed."""
        self._opened.close()

    def back_up(self) -> None:
        """Renew the backup of the database, if anything changed; closing does it too."""
        self._database.back_up()

    def __enter__(self) -> Project:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # What it was made of

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
        self._binding.rebind(weights_sha256, preprocessing)
        self._reader.forget_indices()

    def confirm_model_files(self) -> None:
        """Take the model's files as they are now, since they were found to give the activations on record."""
        self._binding.confirm_files()

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

    def check_freshness(self, *, content: bool = False, task: Task | None = None) -> Freshness:
        """Compare images and network with those that the activations came from.

        Parameters
        ----------
        content
            As for :meth:`changed_images`, and for the files of the network.
        """
        return check_freshness(self, content=content, task=task)

    def recompute_images(self, rows: Iterable[int]) -> None:
        """Take the activations of these images as outdated: the next extraction computes them again."""
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

    # Layers

    @property
    def layers(self) -> tuple[LayerRecord, ...]:
        """The layers that have activations, complete or not, in the order of their extraction."""
        return self.extracted_layers.records()

    def layer(self, name: str) -> LayerRecord:
        """Return one layer; :class:`ProjectError` naming those there are if it is not among them."""
        return self.extracted_layers.record(name)

    def activations(self, layer: str, *, partial: bool = False) -> Activations:
        """Map a layer's activations: float32, images × neurons, read-only. Skipped images have rows of NaN.

        Parameters
        ----------
        layer
            Its name.
        partial
            Whether a layer that is still being extracted may be read: then the rows are those from 0 to the
            first that is not there yet.

        Raises
        ------
        ProjectError
            If there is no such layer, it is not complete, or its file is missing or damaged.
        """
        return self._reader.activations(layer, partial=partial)

    def neuron_index(self, layer: str, *, partial: bool = False, task: Task | None = None) -> NeuronIndex:
        """Return a layer's neuron index: the strongest images of every neuron, and its statistics.

        Read once, then kept in memory. If its file is missing or damaged, or the layer is partial, it is
        computed by reading the activations once (about 30,000 images a second at 2048 neurons).

        Raises
        ------
        ProjectError
            As :meth:`activations`.
        """
        return self._reader.neuron_index(layer, partial=partial, task=task)

    def rows_so_far(self, layer: str, *, task: Task | None = None) -> tuple[Activations, NeuronIndex]:
        """Return the rows of a layer that are there (see :meth:`activations`), and the index over just these.

        Asked again while the layer is extracted, it reads only the rows that came since.

        Raises
        ------
        ProjectError
            If there is no such layer, or its file is missing or damaged.
        """
        return self._reader.rows_so_far(layer, task=task)

    def save_neuron_index(self, layer: str, index: NeuronIndex) -> None:
        """Keep a layer's neuron index beside its activations."""
        self._reader.save_neuron_index(layer, index)

    def parameters(self, layer: str) -> Parameters | None:
        """Return the parameters chosen for a layer, if any."""
        return self.extracted_layers.parameters(layer)

    def save_parameters(self, layer: str, parameters: Parameters | None) -> None:
        """Keep the parameters chosen for a layer; None forgets them."""
        self.extracted_layers.save_parameters(layer, parameters)

    def suggestion(self, layer: str) -> Suggestion | None:
        """Return what was suggested for a layer, if anything."""
        return self.extracted_layers.suggestion(layer)

    def save_suggestion(self, layer: str, suggestion: Suggestion | None) -> None:
        """Keep what is suggested for a layer; None forgets it."""
        self.extracted_layers.save_suggestion(layer, suggestion)

    def precision_check(self, layer: str) -> PrecisionCheck | None:
        """Return what ``fast`` was found to change at a layer, extracted or planned; None if not known."""
        return self._precision_checks.of_layer(layer)

    def save_precision_check(self, layer: str, check: PrecisionCheck) -> None:
        """Keep what was found of a layer, whether its extraction has begun or not."""
        self._precision_checks.save(layer, check)

    # What people add

    def neuron_names(self, layer: str) -> dict[int, str]:
        """Return the names of a layer's neurons, where they have one."""
        return self._annotations.neuron_names(layer)

    def set_neuron_name(self, layer: str, neuron: int, name: str) -> None:
        """Name a neuron; an empty name takes the name away."""
        self._annotations.set_neuron_name(layer, neuron, name)

    def set_neuron_names(self, layer: str, names: Mapping[int, str]) -> None:
        """Name several neurons at once; an empty name takes a name away."""
        self._annotations.set_neuron_names(layer, names)

    def named_concepts(self, layer: str | None = None, neuron: int | None = None) -> tuple[NamedConcept, ...]:
        """Return the named concepts of a neuron, a layer, or the whole project, oldest first."""
        return self._annotations.named_concepts(layer, neuron)

    def save_named_concept(self, concept: NamedConcept) -> NamedConcept:
        """Save a concept and return it with its id; one that has an id takes the place of the saved one."""
        return self._annotations.save_named_concept(concept)

    def delete_named_concept(self, identity: int) -> None:
        """Delete a concept; to undo it, save it again with its id."""
        self._annotations.delete_named_concept(identity)

    def adjustments(self, layer: str) -> dict[int, Adjustments]:
        """Return what was adjusted by hand in a layer's neurons, where anything was."""
        return self._annotations.adjustments(layer)

    def save_adjustments(self, layer: str, neuron: int, adjustments: Adjustments) -> None:
        """Keep what was adjusted by hand in a neuron; empty adjustments forget it."""
        self._annotations.save_adjustments(layer, neuron, adjustments)

    def get_setting(self, key: str, default: Any = None) -> Any:
        """Return a setting, any JSON value, or ``default``."""
        return self._database.read_values("settings").get(key, default)

    def set_setting(self, key: str, value: Any) -> None:
        """Keep a setting, any JSON value."""
        self._database.write_values("settings", {key: value})

    def summary(self) -> ProjectSummary:
        """Return what the project holds, at a glance."""
        return summarise(self, self._values["created"])

    def _find_images_root(self) -> Path:
        """Return the recorded folder, or, when project and images moved together, where it is now."""
        root = Path(self._values["images_root"])
        relative = self._values["images_root_relative"]
        if is_folder(root) or relative is None:
            return root
        moved = Path(os.path.normpath(self.path / relative))
        return moved if is_folder(moved) else root
