"""``neuronprism extract``: create a project or continue it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.commands.changed_files import record_contents, settle_changes, warn_if_outdated
from app.commands.command_model import absolute_weights, load_confirmed, model_source
from app.commands.command_progress import CommandTask
from app.commands.command_project import is_project, open_for_writing, project_folder
from app.commands.command_rank import run_rank
from backend.activations.distributed.ranks import Rank, find_rank
from backend.errors import ProjectError
from backend.images import find_images
from backend.networks.model_source import ModelSource, Pooling
from backend.project import Project

if TYPE_CHECKING:
    from backend.activations.extraction import ExtractionResult
    from backend.networks.loaded_model import LoadedModel

_CHOICE_OF_IMAGES = "choice_of_images"


def run_extract(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    if arguments.recompute_changed and arguments.layers is not None:
        arguments.parser.error("--recompute-changed computes all layers again: leave --layers out")
    folder = project_folder(arguments.project)
    rank = find_rank(os.environ)
    if rank is not None and rank.number > 0:
        return run_rank(folder, rank, arguments)
    task = CommandTask(quiet=arguments.quiet)
    with task.interruptible():
        if is_project(folder):
            project = open_for_writing(folder, recover=arguments.recover)
        else:
            _require_all_given(arguments)
            project = None
        if project is None:
            project, loaded = _create(folder, arguments, task)
        else:
            try:
                loaded = _load_for(project, arguments, task)
            except BaseException:
                project.close()
                raise
        with project:
            result = _extract(project, loaded, arguments, task, rank)
        task.close()
    _say(folder, result)
    return 0


def _require_all_given(arguments: argparse.Namespace) -> None:
    missing = [f"--{name}" for name in ("images", "model", "layers") if getattr(arguments, name) is None]
    if missing:
        arguments.parser.error(f"a new project needs {', '.join(missing)}")


def _create(folder: Path, arguments: argparse.Namespace, task: CommandTask) -> tuple[Project, LoadedModel]:
    """Make the project, once everything that it needs is known to be there."""
    _require_precision(arguments)
    poolings = _poolings(arguments, arguments.layers)
    seed = arguments.seed or 0
    images = find_images(arguments.images, per_class=arguments.per_class, seed=seed, task=task)
    source = model_source(arguments.model, arguments.weights, arguments.size, arguments.grey_scaling)
    loaded = load_confirmed(source, allow_code=arguments.yes_run_code, task=task)
    _require_layers(loaded, arguments.layers, poolings)
    task.check_cancelled()
    choice = {"per_class": arguments.per_class, "seed": seed}
    project = Project.create(
        folder,
        source,
        images,
        layers=arguments.layers,
        poolings=poolings,
        precision=arguments.precision or "float32",
        settings={_CHOICE_OF_IMAGES: choice},
    )
    return project, loaded


def _load_for(project: Project, arguments: argparse.Namespace, task: CommandTask) -> LoadedModel:
    """Load the network of a project that is continued, once no option contradicts the project."""
    _require_same_precision(project, arguments)
    _require_same_images(project, arguments, task)
    source = _require_same_model(project, arguments)
    poolings = _require_same_poolings(project, arguments)
    loaded = load_confirmed(source, allow_code=arguments.yes_run_code, task=task)
    if arguments.layers is not None or poolings:
        _require_layers(loaded, arguments.layers or tuple(poolings), poolings)
    return loaded


def _poolings(arguments: argparse.Namespace, layers: Iterable[str]) -> dict[str, Pooling]:
    """Return the poolings that were given, each for one of the layers, and one for each."""
    given: dict[str, Pooling] = {}
    known = set(layers)
    for layer, pooling in arguments.pooling:
        if layer not in known:
            arguments.parser.error(f"--pooling {layer}={pooling}: {layer} is not among the layers to extract")
        if given.setdefault(layer, pooling) != pooling:
            arguments.parser.error(f"--pooling: {layer} cannot be pooled by {given[layer]} and by {pooling}")
    return given


def _require_same_poolings(project: Project, arguments: argparse.Namespace) -> dict[str, Pooling]:
    begun = {record.name: record.binding.pooling for record in project.layers}
    poolings = _poolings(arguments, arguments.layers or (*project.planned_layers, *begun))
    for layer, pooling in poolings.items():
        if begun.get(layer, pooling) != pooling:
            raise _conflict(project, "--pooling", f"{layer}={pooling}", f"{layer}={begun[layer]}")
    return poolings


def _require_same_model(project: Project, arguments: argparse.Namespace) -> ModelSource:
    kept = project.model_source
    if kept.is_imported:
        return kept  # loading it says why there is nothing to extract with
    if arguments.model is not None:
        given = model_source(arguments.model, None, None).architecture
        if given != kept.architecture:
            raise _conflict(project, "--model", given, kept.architecture)
    if arguments.size is not None:
        sizes = {kept.input_size, project.preprocessing.input_size if project.preprocessing else None}
        if arguments.size not in sizes:
            raise _conflict(project, "--size", arguments.size, kept.input_size or "the model's own")
    if arguments.grey_scaling is not None:
        extracted = project.preprocessing.grey_scaling if project.preprocessing else None
        if arguments.grey_scaling not in (kept.grey_scaling, extracted):
            rule = kept.grey_scaling or extracted or "the model's own"
            raise _conflict(project, "--grey-scaling", arguments.grey_scaling, rule)
    weights = absolute_weights(arguments.weights)
    if weights is None or weights == kept.weights:
        return kept
    if project.weights_sha256 is None:
        raise _conflict(project, "--weights", weights, kept.weights or "the published weights")
    # The file may have moved: whether its weights are the same, their hash says before anything is computed.
    return replace(kept, weights=weights)


def _require_same_images(project: Project, arguments: argparse.Namespace, task: CommandTask) -> None:
    if arguments.images is not None:
        given = arguments.images.expanduser().absolute()
        if given.resolve() != project.images_root.resolve():
            if project.check_images_root(project.images_root, task=task).n_found:
                raise _conflict(project, "--images", given, project.images_root)
            project.relocate_images(given, task=task)
    choice: dict[str, Any] | None = project.get_setting(_CHOICE_OF_IMAGES)
    for name, option in (("per_class", "--per-class"), ("seed", "--seed")):
        given = getattr(arguments, name)
        if given is not None and (choice is None or choice[name] != given):
            kept = "another choice" if choice is None else choice[name]
            raise _conflict(project, option, given, "all images" if kept is None else kept)


def _conflict(project: Project, option: str, given: object, kept: object) -> ProjectError:
    return ProjectError(
        f"The project {project.path} was made with {option} {kept}, not {given}: leave {option} out to "
        "continue it, or make a new project."
    )


def _require_precision(arguments: argparse.Namespace) -> None:
    if arguments.precision is not None:
        from backend.activations.devices import choose_device
        from backend.activations.precision import require_precision

        require_precision(arguments.precision, choose_device(arguments.device).type)


def _require_same_precision(project: Project, arguments: argparse.Namespace) -> None:
    given = arguments.precision
    begun = {one.name: one.binding.precision for one in project.layers if one.origin is None}
    for layer in arguments.layers or begun:
        if given is not None and begun.get(layer, given) != given:
            raise _conflict(project, "--precision", given, begun[layer])
    _require_precision(arguments)


def _require_layers(loaded: LoadedModel, layers: tuple[str, ...], poolings: Mapping[str, Pooling]) -> None:
    from backend.models import choose_poolings

    # Raises a sentence about the first that does not exist, does not run, or cannot be read or pooled so.
    choose_poolings(loaded, layers, poolings)


def _extract(
    project: Project,
    loaded: LoadedModel,
    arguments: argparse.Namespace,
    task: CommandTask,
    rank: Rank | None,
) -> ExtractionResult:
    from backend.activations.extraction import extract
    from backend.activations.precision_check import check_project_precision
    from backend.layer_parameters import layer_suggestion

    lines = settle_changes(project, loaded, arguments, task)
    if lines:
        task.close()
        print("\n".join(lines), flush=True)
    pooling = dict(arguments.pooling)
    check = check_project_precision(
        project,
        loaded,
        arguments.layers,
        pooling=pooling,
        precision=arguments.precision,
        task=task,
        device=arguments.device,
    )
    if check is not None:
        task.close()
        print(check.sentence, flush=True)
    result = extract(
        project,
        loaded,
        arguments.layers,
        pooling=pooling,
        precision=arguments.precision,
        task=task,
        device=arguments.device,
        rank=rank,
    )
    for layer in result.layers:
        layer_suggestion(project, layer, task=task)
    if arguments.check_content:
        record_contents(project, task)  # of images that were computed now
    return result


def _say(folder: Path, result: ExtractionResult) -> None:
    with Project.open(folder, read_only=True) as project:
        warn_if_outdated(project.check_freshness(), project)
        for layer in result.layers:
            print(f"{layer}: {project.layer(layer).n_neurons} neurons", end="")
            suggestion = project.suggestion(layer)
            if suggestion is not None:
                print(
                    f", suggested d_max {suggestion.distance_threshold:.4g}, "
                    f"squared outlier radius {suggestion.outlier_radius_squared:.4g}",
                    end="",
                )
            print()
    speed = f", {result.images_per_second:.3g} images/s" if result.n_computed else ""
    print(
        f"{result.n_computed:,} of {result.n_images:,} images computed now in {result.seconds:.1f} s{speed}"
    )
    if result.n_skipped:
        print(f"{result.n_skipped} images could not be read: “neuronprism info {folder}” says why")
    print(folder)
