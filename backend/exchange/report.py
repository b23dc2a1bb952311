"""A report of analysed neurons as one HTML file that needs nothing else: no network, no file, no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from html import escape
from pathlib import Path

from backend.activations.precision_check_result import precision_text
from backend.evaluation.neuron_analysis_result import NeuronAnalysis
from backend.exchange.atomic_file import write_bytes
from backend.exchange.repeat_command import analyse_command
from backend.exchange.report_neuron import ReportedNeuron, concept_chips, neuron_section, outcome
from backend.exchange.report_sections import ReportSection, ReportTable, section_html
from backend.exchange.report_style import style_sheet
from backend.exchange.report_thumbnails import Thumbnails
from backend.exchange.software_versions import software_versions
from backend.named_concepts import match_named_concepts
from backend.project import Project
from backend.project_folder.layer_origin import origin_facts
from backend.task import SilentTask, Task
from backend.visualization.visualization_result import FeatureVisualization

_MOST_EXCLUDED = 20

__all__ = ["ReportSection", "ReportTable", "report_html", "write_report"]


def write_report(
    path: Path,
    project: Project,
    analyses: Sequence[NeuronAnalysis],
    *,
    title: str | None = None,
    introduction: Sequence[str] = (),
    extra_sections: Sequence[ReportSection] = (),
    visualizations: Mapping[tuple[str, int], FeatureVisualization] | None = None,
    task: Task | None = None,
) -> str:
    """Write a report, whole or not at all.

    Parameters
    ----------
    path
        The HTML file. A neuron takes about half a megabyte.
    project
        Where the analyses come from: images, names, notes, model.
    analyses
        Neurons in the order in which they are shown.
    title
        Default: the project's name.
    introduction
        Paragraphs under the title, plain text.
    extra_sections
        Before the neurons.
    visualizations
        Feature visualisations by (layer, neuron), with the keys ``neuron`` and ``concept J``.
    task
        Gets the neurons as progress, and can cancel between two.

    Returns
    -------
    str
        A sentence about images that could not be read and are left out, which is in the report too; empty if
        there are none.

    Raises
    ------
    ExportError
        If the file cannot be written.
    Cancelled
        If the task was cancelled.
    """
    html, absent = _report(
        project,
        analyses,
        title=title,
        introduction=introduction,
        extra_sections=extra_sections,
        visualizations=visualizations,
        task=task,
    )
    write_bytes(path, html.encode("utf-8", errors="backslashreplace"))
    return absent


def report_html(
    project: Project,
    analyses: Sequence[NeuronAnalysis],
    *,
    title: str | None = None,
    introduction: Sequence[str] = (),
    extra_sections: Sequence[ReportSection] = (),
    visualizations: Mapping[tuple[str, int], FeatureVisualization] | None = None,
    task: Task | None = None,
) -> str:
    """Return the text of :func:`write_report`'s file."""
    html, _ = _report(
        project,
        analyses,
        title=title,
        introduction=introduction,
        extra_sections=extra_sections,
        visualizations=visualizations,
        task=task,
    )
    return html


def _report(
    project: Project,
    analyses: Sequence[NeuronAnalysis],
    *,
    title: str | None,
    introduction: Sequence[str],
    extra_sections: Sequence[ReportSection],
    visualizations: Mapping[tuple[str, int], FeatureVisualization] | None,
    task: Task | None,
) -> tuple[str, str]:
    """Return the text of the file, and the sentence about images that could not be read."""
    task = task or SilentTask()
    title = title or project.name
    neurons = [_reported(project, analysis, visualizations or {}) for analysis in analyses]
    thumbnails = Thumbnails(project.image_paths, project.image_path, project.grey_scaling)
    sections = [section_html(section) for section in extra_sections]
    if len(neurons) > 1:
        sections.append(_overview(neurons))
    for done, neuron in enumerate(neurons):
        task.check_cancelled()
        task.progress(done, len(neurons), "Report")
        sections.append(neuron_section(neuron, thumbnails))
    task.progress(len(neurons), len(neurons), "Report")
    absent = _absent_images(project, thumbnails.n_absent)
    introduction = (*introduction, absent) if absent else introduction
    html = "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="generator" content="Neuron Prism">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{style_sheet()}\n{thumbnails.style_rules()}\n</style>\n</head>\n<body>",
            _header(project, title, introduction, analyses),
            f"<main>{''.join(sections)}</main>",
            _footer(project, neurons),
            "</body>\n</html>\n",
        ]
    )
    return html, absent


def _absent_images(project: Project, n_absent: int) -> str:
    if not n_absent:
        return ""
    command = "import" if project.model_source.is_imported else "extract"
    return (
        f"{n_absent} image{'' if n_absent == 1 else 's'} of this report could not be read from "
        f"{project.images_root}: connect its drive, or say where the images are now "
        f"(neuronprism {command} PROJECT --images DIR, or “Locate the images…” in the window), and export "
        "again."
    )


def _reported(
    project: Project,
    analysis: NeuronAnalysis,
    visualizations: Mapping[tuple[str, int], FeatureVisualization],
) -> ReportedNeuron:
    layer, neuron = analysis.layer, analysis.neuron
    result = analysis.disentanglement
    return ReportedNeuron(
        analysis=analysis,
        name=project.neuron_names(layer).get(neuron, ""),
        concepts=match_named_concepts(project.named_concepts(layer, neuron), result),
        command=analyse_command(project.path.name, layer, neuron, result.parameters),
        visualization=visualizations.get((layer, neuron)),
    )


def _header(
    project: Project, title: str, introduction: Sequence[str], analyses: Sequence[NeuronAnalysis]
) -> str:
    layers = list(dict.fromkeys(analysis.layer for analysis in analyses))
    facts = (
        ("project", project.name),
        ("model", project.model_source.title),
        ("layer" if len(layers) == 1 else "layers", ", ".join(layers) or "–"),
        ("images", _images_text(project)),
        ("neurons", str(len(analyses))),
    )
    items = "".join(f"<li><span>{name}</span><b>{escape(value)}</b></li>" for name, value in facts)
    paragraphs = "".join(f"<p>{escape(text)}</p>" for text in introduction)
    return (
        f'<header class="top"><div><h1>{escape(title)}</h1>{paragraphs}'
        f'<ul class="facts">{items}</ul></div></header>'
    )


def _images_text(project: Project) -> str:
    n_excluded = len(project.excluded_images)
    return f"{project.n_images:,}" + (f" ({n_excluded:,} excluded by hand)" if n_excluded else "")


def _excluded_text(project: Project) -> str:
    """Name the images that a person took out of the analysis."""
    paths = [project.image_paths[row] for row in sorted(project.excluded_images)]
    if not paths:
        return ""
    more = f" and {len(paths) - _MOST_EXCLUDED} more" if len(paths) > _MOST_EXCLUDED else ""
    return f"Taken out of the analysis by hand: {', '.join(paths[:_MOST_EXCLUDED])}{more}."


def _overview(neurons: Sequence[ReportedNeuron]) -> str:
    several_layers = len({neuron.analysis.layer for neuron in neurons}) > 1
    rows = []
    for neuron in neurons:
        layer = f'<td class="short">{escape(neuron.analysis.layer)}</td>' if several_layers else ""
        rows.append(
            f'<tr><td class="short"><a href="#{escape(neuron.anchor)}">Neuron {neuron.result.neuron}</a></td>'
            f"<td>{escape(neuron.name)}</td>{layer}<td>{concept_chips(neuron)}</td>"
            f'<td class="muted small short">{_remark(neuron)}</td></tr>'
        )
    layer = "<th>Layer</th>" if several_layers else ""
    head = f"<tr><th>Neuron</th><th>Name</th>{layer}<th>Concepts</th><th></th></tr>"
    table = f'<div class="scroll"><table>{head}{"".join(rows)}</table></div>'
    return f"<section><h2>Overview</h2>{table}</section>"


def _remark(neuron: ReportedNeuron) -> str:
    result = neuron.result
    if result.status in ("dead", "too_few_images"):
        return escape(result.message)
    return escape(outcome(result).partition(", ")[2])


def _footer(project: Project, neurons: Sequence[ReportedNeuron]) -> str:
    versions = ", ".join(f"{package} {version}" for package, version in software_versions().items())
    preprocessing = project.preprocessing
    lines = [
        f"Weights SHA-256 {project.weights_sha256}" if project.weights_sha256 else "",
        _preprocessing_text(project) if preprocessing is not None else "",
        _excluded_text(project),
        *_precision_texts(project, neurons),
        *_origin_texts(project, neurons),
        f"Made by Neuron Prism on {date.today().isoformat()} with {versions}.",
        "Similarities are mean cosines of a concept's members; the mark on each bar is what as many random "
        "images reach. Commands are to be run in the folder that holds the project.",
    ]
    return "<footer><div>" + "".join(f"<p>{escape(line)}</p>" for line in lines if line) + "</div></footer>"


def _precision_texts(project: Project, neurons: Sequence[ReportedNeuron]) -> list[str]:
    shown = {neuron.analysis.layer for neuron in neurons}
    return [
        precision_text(record.name, record.binding.precision, project.precision_check(record.name))
        for record in project.layers
        if record.name in shown
    ]


def _origin_texts(project: Project, neurons: Sequence[ReportedNeuron]) -> list[str]:
    shown = {neuron.analysis.layer for neuron in neurons}
    return [
        " ".join(origin_facts(record.name, record.origin))
        for record in project.layers
        if record.origin is not None and record.name in shown
    ]


def _preprocessing_text(project: Project) -> str:
    preprocessing = project.preprocessing
    if preprocessing is None:
        return ""
    mean = ", ".join(f"{value:g}" for value in preprocessing.mean)
    std = ", ".join(f"{value:g}" for value in preprocessing.std)
    return (
        f"Input {preprocessing.input_size} × {preprocessing.input_size} × {preprocessing.channels}, cut from "
        f"{preprocessing.resize_size} ({preprocessing.interpolation}), mean {mean}, deviation {std}."
    )
