"""``neuronprism info``: say what is in a project."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from app.commands.changed_files import changed_files, outdated_text
from app.commands.command_progress import CommandTask
from app.commands.command_project import open_for_reading, project_folder
from backend.activations.precision_check_result import precision_text
from backend.byte_size import byte_size
from backend.networks.model_source import POOLING_NAMES, ModelSource
from backend.project import Freshness, Project
from backend.project_folder.layer_origin import origin_sentences
from backend.project_folder.project_summary import LayerSummary, ProjectSummary

_SHOWN_FILES = 20


def run_info(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    if arguments.recover:
        with Project.open(project_folder(arguments.project), recover=True) as project:
            _report_recovery(project)
    # Looking at files takes a moment, reading them takes long.
    task = CommandTask(quiet=arguments.quiet or not arguments.check_content)
    with task.interruptible(), open_for_reading(arguments.project) as project:
        freshness = project.check_freshness(content=arguments.check_content, task=task)
        task.close()
        if arguments.json:
            print(json.dumps(_document(project, freshness), indent=1, allow_nan=False))
        else:
            print(_text(project, freshness))
    return 0


def _report_recovery(project: Project) -> None:
    if project.recovered_from is not None:
        print(f"Recovered from the backup; the damaged file is {project.recovered_from}")
    elif project.recovered:
        print("Recovered from the backup; the database was missing.")
    else:
        print("The project is sound; nothing had to be recovered.")


def _document(project: Project, freshness: Freshness) -> dict[str, object]:
    suggestions = {record.name: project.suggestion(record.name) for record in project.layers}
    checks = {record.name: project.precision_check(record.name) for record in project.layers}
    return {
        **project.summary().to_dict(),
        "suggestions": {name: one.to_dict() if one else None for name, one in suggestions.items()},
        "precision_checks": {name: one.to_dict() if one else None for name, one in checks.items()},
        "skipped_images": [
            {"row": one.row, "path": one.path, "reason": one.reason} for one in project.skipped_images()
        ],
        "excluded_images": [
            {"row": row, "path": project.image_paths[row]} for row in sorted(project.excluded_images)
        ],
        "adjusted_neurons": {
            record.name: sorted(project.adjustments(record.name)) for record in project.layers
        },
        "unused_files": [{"path": one.path, "reason": one.reason} for one in project.unused_files()],
        "freshness": freshness.to_dict(),
    }


def _text(project: Project, freshness: Freshness) -> str:
    summary = project.summary()
    lines = [str(summary.path), *_aligned(_facts(summary))]
    if summary.layers:
        lines += [
            "",
            *_table(("layer", "neurons", "images", "size", "d_max", "named"), _layer_rows(project, summary)),
        ]
    precisions = [
        precision_text(layer.name, layer.precision, project.precision_check(layer.name))
        for layer in summary.layers
    ]
    lines += _pooled(summary)
    lines += [f"\n{text}" for text in precisions if text]
    lines += [
        f"\n{' '.join(origin_sentences(layer.name, layer.origin))}"
        for layer in summary.layers
        if layer.origin is not None
    ]
    lines += _unfinished(summary)
    lines += _changes(project, freshness)
    lines += [
        f"\n{layer.problem} (“{_command_for(layer, summary)}”)" for layer in summary.layers if layer.problem
    ]
    lines += _files("images could not be read", [(one.path, one.reason) for one in project.skipped_images()])
    excluded = sorted(project.excluded_images)
    lines += _files("excluded by hand", [(project.image_paths[row], "") for row in excluded])
    lines += _adjusted(project)
    lines += _files("files were passed over", [(one.path, one.reason) for one in project.unused_files()])
    return "\n".join(lines)


def _pooled(summary: ProjectSummary) -> list[str]:
    """Name the poolings that need words: the mean over space does not, nor does none; imports tell theirs."""
    return [
        f"\n{layer.name} holds the {POOLING_NAMES[layer.pooling]} of each neuron."
        for layer in summary.layers
        if layer.origin is None and layer.pooling not in ("mean", "none")
    ]


def _changes(project: Project, freshness: Freshness) -> list[str]:
    """Say what changed since the activations were computed."""
    lines = [f"\n{freshness.n_compared:,} images compared by content."] if freshness.n_compared else []
    if freshness.is_outdated:
        text = outdated_text(freshness, project)
        lines.append(f"\n{text[0].upper()}{text[1:]}")
    else:
        lines += [f"\n{sentence}" for sentence in freshness.sentences]
    return lines + _files("files are not as they were", changed_files(freshness))


def _unfinished(summary: ProjectSummary) -> list[str]:
    """Say which layers are not complete, and the command that completes them."""
    begun = {layer.name for layer in summary.layers}
    incomplete = [layer for layer in summary.layers if not layer.complete]
    waiting = {
        "extract": [layer.name for layer in incomplete if layer.origin is None]
        + [name for name in summary.planned_layers if name not in begun],
        "import": [layer.name for layer in incomplete if layer.origin is not None],
    }
    return [
        f"\nNot complete: {', '.join(names)}. Continue with “neuronprism {command} {summary.path}”."
        for command, names in waiting.items()
        if names
    ]


def _command_for(layer: LayerSummary, summary: ProjectSummary) -> str:
    if layer.origin is not None:
        return f"neuronprism import {summary.path} --layer {layer.name}"
    return f"neuronprism extract {summary.path} --layers {layer.name}"


def _facts(summary: ProjectSummary) -> list[tuple[str, str]]:
    source = ModelSource(summary.architecture)
    weights = (
        summary.weights or "as published"
        if not summary.weights_sha256
        else (f"{summary.weights or 'as published'} (SHA-256 {summary.weights_sha256[:12]}…)")
    )
    classes = f", {summary.n_classes} classes" if summary.n_classes else ""
    skipped = f", {summary.n_skipped} could not be read" if summary.n_skipped else ""
    return [
        ("created", summary.created),
        ("model", source.title),
        *([] if source.is_imported else _network_facts(summary, weights)),
        ("images", f"{summary.n_images:,}{classes}{skipped}"),
        ("in", f"{summary.images_root}{'' if summary.images_found else ' (not there now)'}"),
        ("named", f"{summary.n_named_concepts} concepts"),
        ("size", byte_size(summary.n_bytes)),
    ]


def _network_facts(summary: ProjectSummary, weights: str) -> list[tuple[str, str]]:
    size = f"{summary.input_size} pixels" if summary.input_size else "not known before extraction"
    return [("weights", weights), ("input", size)]


def _layer_rows(project: Project, summary: ProjectSummary) -> list[tuple[str, ...]]:
    return [_layer_row(project, layer) for layer in summary.layers]


def _layer_row(project: Project, layer: LayerSummary) -> tuple[str, ...]:
    parameters, suggestion = project.parameters(layer.name), project.suggestion(layer.name)
    if parameters is not None:
        threshold = f"{parameters.distance_threshold:.4g}"
    else:
        threshold = f"{suggestion.distance_threshold:.4g} suggested" if suggestion is not None else "–"
    done = f"{layer.n_done:,}" if layer.complete else f"{layer.n_done:,} of {layer.n_images:,}"
    return (
        layer.name,
        str(layer.n_neurons),
        done,
        byte_size(layer.n_bytes),
        threshold,
        str(layer.n_named_concepts),
    )


def _files(what: str, files: Sequence[tuple[str, str]]) -> list[str]:
    if not files:
        return []
    lines = ["", f"{len(files)} {what}:"]
    lines += [f"  {path}: {reason}" if reason else f"  {path}" for path, reason in files[:_SHOWN_FILES]]
    if len(files) > _SHOWN_FILES:
        lines.append(f"  and {len(files) - _SHOWN_FILES} more (--json lists all)")
    return lines


def _adjusted(project: Project) -> list[str]:
    """Name the neurons whose concepts a person adjusted."""
    lines = []
    for record in project.layers:
        neurons = [str(neuron) for neuron in sorted(project.adjustments(record.name))]
        if neurons:
            more = f" and {len(neurons) - _SHOWN_FILES} more" if len(neurons) > _SHOWN_FILES else ""
            lines.append(
                f"\nAdjusted by hand in {record.name}: neuron {', '.join(neurons[:_SHOWN_FILES])}{more}"
            )
    return lines


def _aligned(facts: Sequence[tuple[str, str]]) -> list[str]:
    width = max(len(name) for name, _ in facts)
    return [f"  {name:<{width}}  {value}" for name, value in facts]


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return [
        "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
