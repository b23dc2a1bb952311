"""``neuronprism analyse``: split one neuron into concepts."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.commands.changed_files import warn_if_outdated
from app.commands.command_parameters import chosen_parameters
from app.commands.command_parser import SUGGESTED_PRESET
from app.commands.command_progress import CommandTask
from app.commands.command_project import open_for_reading
from backend.concept_colors import letters
from backend.errors import ExportError
from backend.evaluation.neuron_analysis import analyse_neuron
from backend.evaluation.neuron_analysis_result import NeuronAnalysis
from backend.exchange.analysis_json import analysis_bytes, write_analysis
from backend.exchange.report_neuron import outcome
from backend.layer_parameters import layer_suggestion
from backend.method.adjustments import UNADJUSTED
from backend.named_concepts import match_named_concepts
from backend.project import Project

_SHOWN_IMAGES = 3
# Of neurons that the method could be applied to.
_SPLIT = ("ok", "few_active")


def run_analyse(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    _require_folder(arguments.json)
    task = CommandTask(quiet=arguments.quiet)
    with task.interruptible(), open_for_reading(arguments.project) as project:
        layer = arguments.layer
        activations = project.activations(layer)
        index = project.neuron_index(layer, task=task)
        analysis = analyse_neuron(
            layer,
            activations,
            arguments.neuron,
            chosen_parameters(project, layer, arguments, task=task),
            index=index,
            n_max_projecting=arguments.max_projecting,
            adjustments=UNADJUSTED
            if arguments.no_adjustments
            else project.adjustments(layer).get(arguments.neuron, UNADJUSTED),
            task=task,
        )
        named = match_named_concepts(
            project.named_concepts(layer, arguments.neuron), analysis.disentanglement
        )
        hint = _hint(project, analysis, arguments, task)
        freshness = project.check_freshness(task=task)
        task.close()
        names = {cluster: one.name for cluster, one in named.items()}
        _give(project, analysis, names, freshness.outdated_sentences, arguments.json)
        warn_if_outdated(freshness, project)
        if hint:
            print(f"neuronprism: {hint}", file=sys.stderr)
    return 0


def _require_folder(json_file: str | None) -> None:
    if json_file not in (None, "-") and not (folder := Path(json_file).absolute().parent).is_dir():
        raise ExportError(
            f"{json_file} cannot be written: there is no folder {folder}. Make it first, or choose another."
        )


def _hint(
    project: Project, analysis: NeuronAnalysis, arguments: argparse.Namespace, task: CommandTask
) -> str:
    """Return a way out where the published parameters, made for one layer's scale, find nothing here."""
    result = analysis.disentanglement
    if arguments.preset in (None, SUGGESTED_PRESET) or result.status not in _SPLIT or result.concepts:
        return ""
    suggestion = layer_suggestion(project, analysis.layer, task=task)
    if suggestion is None:
        return ""
    return (
        f"d_max {result.parameters.distance_threshold:.4g} suits another scale than that of "
        f"{analysis.layer}: try --preset {SUGGESTED_PRESET} (d_max {suggestion.distance_threshold:.4g})."
    )


def _give(
    project: Project,
    analysis: NeuronAnalysis,
    names: Mapping[int, str],
    outdated: Sequence[str],
    json_file: str | None,
) -> None:
    if json_file == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(analysis_bytes(analysis, project.image_paths, names, outdated))
        sys.stdout.buffer.flush()
        return
    if json_file is not None:
        write_analysis(Path(json_file), analysis, project.image_paths, names, outdated)
    print(_summary(project, analysis, names))
    if json_file is not None:
        print(json_file)


def _summary(project: Project, analysis: NeuronAnalysis, names: Mapping[int, str]) -> str:
    result = analysis.disentanglement
    threshold = result.parameters.distance_threshold
    clusters = f"{result.n_clusters} cluster{'' if result.n_clusters == 1 else 's'}"
    lines = [
        f"{analysis.layer}, neuron {result.neuron}: {clusters} at d_max {threshold:.4g}, {outcome(result)}"
    ]
    if result.message:
        lines.append(result.message)
    if analysis.excluded:
        n = len(analysis.excluded)
        lines.append(f"Without {n} image{'' if n == 1 else 's'} excluded by hand.")
    for concept, similarity in zip(result.concepts, analysis.similarities, strict=True):
        paths = [project.image_paths[row] for row in result.member_rows(concept)[:_SHOWN_IMAGES]]
        number = int(result.concept_numbers[concept.cluster])
        title = f"{letters(number)} {names.get(concept.cluster, '')}".rstrip()
        by_hand = " made by hand" if result.is_own(concept.cluster) else ""
        lines.append(
            f"  {title}: {len(concept.members)} images{by_hand}, cosine {_cosine(similarity.mean_cosine)} "
            f"(random images {_cosine(similarity.mean_cosine_null)}): {', '.join(paths)}"
        )
    return "\n".join(lines)


def _cosine(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "–"
