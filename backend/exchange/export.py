"""Everything a project found, as files for other programs and other people."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from backend.activations.store import SUFFIX
from backend.errors import ExportError, ProjectError
from backend.evaluation.neuron_analysis import analyse_neuron
from backend.evaluation.neuron_analysis_result import NeuronAnalysis
from backend.exchange.analysis_json import parameters_document
from backend.exchange.atomic_file import atomic_file, write_bytes
from backend.exchange.concept_vectors_file import ConceptVectors, ExportedConcept, save_concept_vectors
from backend.exchange.image_tables import (
    MAX_PROJECTING_COLUMNS,
    MEMBER_COLUMNS,
    CsvTable,
    max_projecting_rows,
    member_rows,
)
from backend.exchange.report import write_report
from backend.exchange.software_versions import software_versions
from backend.layer_parameters import layer_parameters
from backend.method.adjustments import UNADJUSTED, Adjustments
from backend.method.parameters import Parameters
from backend.named_concepts import NamedConcept, match_named_concepts
from backend.networks.model_source import IMPORTED_ARCHITECTURE
from backend.project import LayerRecord, Project
from backend.task import SilentTask, Task

MEMBERS_FILE = "members.csv"
MAX_PROJECTING_FILE = "max_projecting.csv"
REPORT_FILE = "report.html"
OUTDATED_FILE = "OUTDATED.txt"

_NOT_FOUND_AGAIN = -1


@dataclass(frozen=True)
class ExportOptions:
    """How an export is made.

    Attributes
    ----------
    parameters
        Of the method: the same for every layer, or a function that gives those of a layer by its name; None
        for the project's own (see :func:`backend.layer_parameters.layer_parameters`).
    n_max_projecting
        Rows for each direction in the table of max-projecting images.
    report
        Whether to write the report.
    n_reported
        Most neurons in the report: those that were named first, then those with most concepts.
        Those adjusted by hand count as named.
    """

    parameters: Parameters | Callable[[str], Parameters] | None = None
    n_max_projecting: int = 100
    report: bool = True
    n_reported: int = 24


@dataclass(frozen=True)
class ExportResult:
    """What was written.

    Attributes
    ----------
    files
        In the order in which they were written.
    n_neurons, n_concepts
        How many neurons were disentangled, and how many concept vectors that gave.
    warning
        What is outdated, and what the report lacks, in sentences; empty if nothing.
    """

    files: tuple[Path, ...]
    n_neurons: int
    n_concepts: int
    warning: str = ""


def export_project(
    project: Project,
    out: Path,
    *,
    layer: str | None = None,
    neurons: Sequence[int] | None = None,
    options: ExportOptions | None = None,
    task: Task | None = None,
) -> ExportResult:
    """Write concept vectors, tables and a report into a folder.

    ``concept_vectors.LAYER.safetensors`` and ``.npz`` hold the vectors of every neuron of a layer;
    ``named_concepts.LAYER.safetensors`` and ``.npz`` those that the user named, as they were when named;
    ``members.csv``, ``max_projecting.csv`` and ``report.html`` are for the whole export. Where images or
    network changed since the activations were computed, the vectors and the report say so, and
    ``OUTDATED.txt`` beside the tables.

    Parameters
    ----------
    out
        The folder; it is made if it is missing. Each file is written whole or not at all. What an earlier
        export left there of these layers, and this one does not write, is removed: named concepts where none
        are named any more, a report where none is wanted.
    layer
        Default: every layer that is complete.
    neurons
        Channels, of every exported layer; default: all.
    options
        Default: the project's own parameters, with a report.
    task
        Gets the neurons as progress, and can cancel between two.

    Raises
    ------
    ExportError
        If there is nothing to export, or a file cannot be written.
    ProjectError
        If there is no such layer or neuron.
    Cancelled
        If the task was cancelled; files that are complete stay.
    """
    export = _Export(project, out, options or ExportOptions(), task or SilentTask())
    return export.run(_chosen(project, layer, neurons))


def _chosen(project: Project, layer: str | None, neurons: Sequence[int] | None) -> dict[str, Sequence[int]]:
    """Return the neurons of each layer, all known to exist."""
    records = project.layers if layer is None else (project.layer(layer),)
    chosen: dict[str, Sequence[int]] = {}
    for record in records:
        if layer is None and not record.complete:
            continue
        chosen[record.name] = range(record.n_neurons) if neurons is None else tuple(neurons)
        for neuron in chosen[record.name]:
            if not 0 <= neuron < record.n_neurons:
                last = record.n_neurons - 1
                raise ProjectError(
                    f"There is no neuron {neuron} in {record.name}: its neurons are 0 to {last}."
                )
    if not chosen:
        raise ExportError(f"The project {project.path} has no complete layer to export: extract one first.")
    return chosen


def file_stem(record: LayerRecord) -> str:
    """Return a layer's name as a part of file names: that of its activations, which no other layer has."""
    return record.file.name.removesuffix(SUFFIX)


def _remove(path: Path) -> None:
    """Remove what an earlier export wrote and this one does not, so that the files of a folder agree."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ExportError(
            f"{path}, of an earlier export, cannot be removed ({error.strerror or error}): "
            "export into another folder."
        ) from error


@dataclass
class _Candidate:
    """A neuron for the report: named ones first, then by number of concepts, then by order."""

    named: bool
    n_concepts: int
    order: int
    layer: str
    neuron: int

    def key(self) -> tuple[bool, int, int]:
        return (not self.named, -self.n_concepts, self.order)


@dataclass
class _Export:
    """One export under way."""

    project: Project
    out: Path
    options: ExportOptions
    task: Task
    files: list[Path] = field(default_factory=list)
    candidates: list[_Candidate] = field(default_factory=list)
    parameters: dict[str, Parameters] = field(default_factory=dict)
    adjustments: dict[str, dict[int, Adjustments]] = field(default_factory=dict)
    n_all: int = 0
    n_done: int = 0
    n_concepts: int = 0
    warning: str = ""
    outdated: tuple[str, ...] = ()

    def run(self, chosen: Mapping[str, Sequence[int]]) -> ExportResult:
        freshness = self.project.check_freshness(task=self.task)
        self.outdated = freshness.outdated_sentences
        self.n_all = sum(len(neurons) for neurons in chosen.values())
        with ExitStack() as stack:
            members = self._table(stack, MEMBERS_FILE, MEMBER_COLUMNS)
            projecting = self._table(stack, MAX_PROJECTING_FILE, MAX_PROJECTING_COLUMNS)
            for layer, neurons in chosen.items():
                concepts = self._export_neurons(layer, neurons, members, projecting)
                self._save_vectors("concept_vectors", layer, concepts)
                self._save_named(layer, neurons)
        self.files += [self.out / MEMBERS_FILE, self.out / MAX_PROJECTING_FILE]
        self._mark_tables(freshness.mark)
        if self.options.report:
            self._write_report()
        else:
            _remove(self.out / REPORT_FILE)
        warning = " ".join((*self.outdated, self.warning)).strip()
        return ExportResult(tuple(self.files), self.n_done, self.n_concepts, warning)

    def _mark_tables(self, mark: str) -> None:
        """Say beside the tables, which have no place for it, that they are outdated."""
        path = self.out / OUTDATED_FILE
        if self.outdated:
            text = "\n".join((f"The results in this folder are {mark}.", *self.outdated, ""))
            write_bytes(path, text.encode("utf-8", errors="backslashreplace"))
            self.files.append(path)
        else:
            _remove(path)

    def _table(self, stack: ExitStack, name: str, columns: Sequence[str]) -> CsvTable:
        return CsvTable(stack.enter_context(atomic_file(self.out / name)), columns)

    def _analyse(self, layer: str, neuron: int) -> NeuronAnalysis:
        if layer not in self.parameters:
            self.parameters[layer] = self._parameters_of(layer)
        return analyse_neuron(
            layer,
            self.project.activations(layer),
            neuron,
            self.parameters[layer],
            adjustments=self._adjustments(layer).get(neuron, UNADJUSTED),
            index=self.project.neuron_index(layer),
            n_max_projecting=self.options.n_max_projecting,
            task=self.task,
        )

    def _adjustments(self, layer: str) -> dict[int, Adjustments]:
        if layer not in self.adjustments:
            self.adjustments[layer] = self.project.adjustments(layer)
        return self.adjustments[layer]

    def _parameters_of(self, layer: str) -> Parameters:
        given = self.options.parameters
        if given is None:
            return layer_parameters(self.project, layer, task=self.task)
        return given if isinstance(given, Parameters) else given(layer)

    def _export_neurons(
        self, layer: str, neurons: Sequence[int], members: CsvTable, projecting: CsvTable
    ) -> list[ExportedConcept]:
        paths = self.project.image_paths
        neuron_names = self.project.neuron_names(layer)
        named = _by_neuron(self.project.named_concepts(layer))
        exported: list[ExportedConcept] = []
        for neuron in neurons:
            self.task.check_cancelled()
            self.task.progress(self.n_done, self.n_all, f"Exporting {layer}")
            analysis = self._analyse(layer, neuron)
            matches = match_named_concepts(named.get(neuron, ()), analysis.disentanglement)
            names = {cluster: concept.name for cluster, concept in matches.items()}
            members.add(member_rows(analysis, paths, names))
            projecting.add(max_projecting_rows(analysis, paths, names))
            exported += _exported(analysis, matches, paths)
            by_hand = analysis.disentanglement.adjusted_by_hand
            is_named = neuron in neuron_names or neuron in named or by_hand
            n_concepts = len(analysis.disentanglement.concepts)
            self.candidates.append(_Candidate(is_named, n_concepts, self.n_done, layer, neuron))
            self.n_done += 1
        self.n_concepts += len(exported)
        self.task.progress(self.n_done, self.n_all, f"Exporting {layer}")
        return exported

    def _vector_files(self, kind: str, layer: str) -> tuple[Path, ...]:
        stem = f"{kind}.{file_stem(self.project.layer(layer))}"
        return tuple(self.out / (stem + suffix) for suffix in (".safetensors", ".npz"))

    def _save_vectors(self, kind: str, layer: str, concepts: Sequence[ExportedConcept]) -> None:
        record = self.project.layer(layer)
        binding, source = record.binding, self.project.model_source
        unknown = record.network_obstacle(self.project.weights_sha256)
        check = self.project.precision_check(layer)
        excluded = sorted(self.project.excluded_images)
        vectors = ConceptVectors(
            model=IMPORTED_ARCHITECTURE if unknown else source.architecture,
            weights_sha256=binding.weights_sha256,
            layer=layer,
            preprocessing=None if binding.preprocessing is None else binding.preprocessing.to_dict(),
            concepts=concepts,
            n_neurons=record.n_neurons,
            versions=software_versions(),
            extraction={
                "created": record.created,
                "pooling": binding.pooling,
                "precision": binding.precision,
                "precision_check": None if check is None else check.to_dict(),
                "versions": dict(record.versions),
                "outdated": list(self.outdated),
            },
            origin=None if record.origin is None else record.origin.to_export(),
            excluded_images=tuple(self.project.image_paths[row] for row in excluded),
        )
        for path in self._vector_files(kind, layer):
            save_concept_vectors(path, vectors)
            self.files.append(path)

    def _save_named(self, layer: str, neurons: Sequence[int]) -> None:
        named = [one for one in self.project.named_concepts(layer) if one.neuron in neurons]
        if named:
            paths = self.project.image_paths
            concepts = [
                ExportedConcept(
                    neuron=one.neuron,
                    cluster=_NOT_FOUND_AGAIN,
                    vector=one.vector,
                    members=tuple(paths[row] for row in one.member_images),
                    parameters=parameters_document(one.parameters),
                    name=one.name,
                    notes=one.notes,
                    by_hand=one.by_hand,
                )
                for one in named
            ]
            self._save_vectors("named_concepts", layer, concepts)
        else:
            for path in self._vector_files("named_concepts", layer):
                _remove(path)

    def _write_report(self) -> None:
        chosen = heapq.nsmallest(self.options.n_reported, self.candidates, key=_Candidate.key)
        chosen.sort(key=lambda candidate: candidate.order)
        analyses = [self._analyse(candidate.layer, candidate.neuron) for candidate in chosen]
        introduction: tuple[str, ...] = ()
        if self.outdated:
            introduction = (f"Outdated: {' '.join(self.outdated)}",)
        if len(chosen) < len(self.candidates):
            introduction += (
                f"{len(chosen)} of the {len(self.candidates)} exported neurons: those that were named, and "
                "those that split into most concepts. The tables and vectors beside this file hold all.",
            )
        path = self.out / REPORT_FILE
        self.warning = write_report(path, self.project, analyses, introduction=introduction, task=self.task)
        self.files.append(path)


def _by_neuron(named: Sequence[NamedConcept]) -> dict[int, list[NamedConcept]]:
    groups: dict[int, list[NamedConcept]] = {}
    for concept in named:
        groups.setdefault(concept.neuron, []).append(concept)
    return groups


def _exported(
    analysis: NeuronAnalysis, matches: Mapping[int, NamedConcept], paths: Sequence[str]
) -> list[ExportedConcept]:
    result = analysis.disentanglement
    exported = []
    for concept in result.concepts:
        named = matches.get(concept.cluster)
        exported.append(
            ExportedConcept(
                neuron=int(result.neuron),
                cluster=int(concept.cluster),
                vector=concept.vector.astype(np.float32),
                members=tuple(paths[row] for row in result.member_rows(concept)),
                parameters=parameters_document(result.parameters),
                name=named.name if named else "",
                notes=named.notes if named else "",
                by_hand=result.hand_mark(concept.cluster),
            )
        )
    return exported
