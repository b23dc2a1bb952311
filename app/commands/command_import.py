"""``neuronprism import``: take over activations that were computed elsewhere."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.command_model import load_confirmed, model_source
from app.commands.command_progress import CommandTask
from app.commands.command_project import is_project, open_for_writing, project_folder
from backend.activations.activation_import import (
    ImportResult,
    bind_network,
    continue_import,
    create_import_project,
    import_activations,
    unfinished_imports,
)
from backend.activations.import_plan import ImportPlan, ImportRequest, plan_import
from backend.errors import ActivationImportError
from backend.project import Project
from backend.project_folder.layer_origin import origin_sentences

if TYPE_CHECKING:
    from backend.networks.loaded_model import LoadedModel

_ONLY_WITH_ACTIVATIONS = ("array", "image_list", "pooling", "neuron_names")


def run_import(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    folder = project_folder(arguments.project)
    task = CommandTask(quiet=arguments.quiet)
    with task.interruptible():
        if arguments.activations is not None:
            project, results = _import(folder, arguments, task)
        else:
            project, results = _go_on(folder, arguments, task)
        with project:
            task.close()
            for result in results:
                _say(project, result, task)
    print(folder)
    return 0


def _import(
    folder: Path, arguments: argparse.Namespace, task: CommandTask
) -> tuple[Project, list[ImportResult]]:
    if arguments.layer is None:
        arguments.parser.error("--layer is needed: the name of the layer in the project")
    request = ImportRequest(
        arguments.activations,
        arguments.image_list,
        arguments.images,
        arguments.layer,
        arguments.array,
        arguments.pooling,
        arguments.neuron_names,
    )
    project = open_for_writing(folder) if is_project(folder) else None
    try:
        plan = plan_import(request, project)
        network = None
        if arguments.model is not None:
            from backend.activations.network_check import try_network

            network = try_network(plan, _load(arguments, task), task=task)
        if project is None:
            project = create_import_project(folder, plan)
        result = import_activations(project, plan, network=network, task=task)
    except BaseException:
        if project is not None:
            project.close()
        raise
    task.close()
    _warn_of_missing(plan)
    return project, [result]


def _go_on(
    folder: Path, arguments: argparse.Namespace, task: CommandTask
) -> tuple[Project, list[ImportResult]]:
    """Continue what was cut off, name the network of a layer that is there, or locate the images."""
    for name in _ONLY_WITH_ACTIVATIONS:
        if getattr(arguments, name) is not None:
            arguments.parser.error(f"--{name.replace('_', '-')} needs --activations")
    if arguments.model is not None and arguments.layer is None:
        arguments.parser.error("--model needs --layer: the layer of the network that the activations are of")
    project = open_for_writing(folder)
    try:
        wanted = unfinished_imports(project)
        if arguments.layer is not None:
            project.layer(arguments.layer)
            wanted = tuple(name for name in wanted if name == arguments.layer)
        if arguments.images is not None:
            project.relocate_images(arguments.images, task=task)
        results = [continue_import(project, name, task=task) for name in wanted]
        if arguments.model is not None:
            _name_network(project, arguments, task)
        elif not wanted and arguments.images is None:
            raise ActivationImportError(
                f"There is no import to continue in {folder}: to begin one, give --activations."
            )
    except BaseException:
        project.close()
        raise
    return project, results


def _name_network(project: Project, arguments: argparse.Namespace, task: CommandTask) -> None:
    from backend.activations.network_check import try_network_on_layer

    loaded = _load(arguments, task)
    network = try_network_on_layer(project, arguments.layer, loaded, task=task)
    bind_network(project, arguments.layer, network)
    task.close()
    agreement = network.check.agreement.text()
    print(f"{arguments.layer}: {loaded.source.architecture} gives these activations: {agreement}")


def _load(arguments: argparse.Namespace, task: CommandTask) -> LoadedModel:
    source = model_source(arguments.model, arguments.weights, arguments.size)
    return load_confirmed(source, allow_code=arguments.yes_run_code, task=task)


def _warn_of_missing(plan: ImportPlan) -> None:
    listed = plan.listed
    if listed is not None and listed.n_found < listed.n_looked_at:
        print(
            f"neuronprism: {listed.n_looked_at - listed.n_found} of {listed.n_looked_at} images that were "
            f"looked for are not in {plan.root}: placeholders are shown instead.",
            file=sys.stderr,
        )


def _say(project: Project, result: ImportResult, task: CommandTask) -> None:
    from backend.layer_parameters import layer_suggestion

    suggestion = layer_suggestion(project, result.layer, task=task)
    task.close()
    scale = ""
    if suggestion is not None:
        scale = (
            f", suggested d_max {suggestion.distance_threshold:.4g}, squared outlier radius "
            f"{suggestion.outlier_radius_squared:.4g}"
        )
    print(f"{result.layer}: {result.n_neurons} neurons{scale}")
    print(f"{result.n_imported:,} of {result.n_images:,} rows imported now in {result.seconds:.1f} s")
    print(" ".join(origin_sentences(result.layer, result.origin)))
