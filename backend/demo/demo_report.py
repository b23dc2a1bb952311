"""The demo's report: figures beside their targets, and the neurons that retell the paper, as HTML."""

import json
from dataclasses import asdict
from pathlib import Path

import torch

from backend.demo.concept_network import CLASS_NAMES, LAYER, load_network
from backend.demo.demo_figures import DemoFigures, demo_figures, targets
from backend.demo.demo_project import ensure_demo_project
from backend.demo.tour import TOUR
from backend.evaluation.neuron_analysis import analyse_neuron
from backend.exchange.atomic_file import write_bytes
from backend.exchange.report import ReportSection, ReportTable, write_report
from backend.layer_parameters import layer_suggestion
from backend.method.parameters import Parameters
from backend.project import Project
from backend.task import SilentTask, Task

REPORT_FILE = "demo-report.html"
FIGURES_FILE = "figures.json"

INTRODUCTION = (
    "This network and its pictures were made for Neuron Prism: the drawing code knows what every picture "
    "shows, and the network was trained so that its layer writes these concepts with fewer neurons than "
    "there are concepts. The right answer is known because it was planted. So these figures check the tool, "
    "and not the method: on a network that nobody prepared, clusters are seldom this clear.",
    "The pictures measured here are none of those that the network was trained on.",
)


def write_demo_report(folder: Path, task: Task | None = None, *, demo_folder: Path | None = None) -> Path:
    """Write the demo's report and ``figures.json`` beside it.

    Parameters
    ----------
    folder : Path
        Where to; made if need be.
    task : Task, optional
        Progress and cancellation.
    demo_folder : Path, optional
        Where the demo project is, or is made; default as for
        :func:`backend.demo.demo_project.ensure_demo_project`.

    Returns
    -------
    Path
        The HTML file.

    Raises
    ------
    NeuronPrismError
        The demo cannot be made, or the report cannot be written.
    """
    task = task or SilentTask()
    with ensure_demo_project(demo_folder, task=task) as project:
        suggestion = layer_suggestion(project, LAYER, task=task)
        parameters = Parameters() if suggestion is None else suggestion.parameters()
        figures = project_figures(project, parameters, task=task)
        activations, index = project.activations(LAYER), project.neuron_index(LAYER)
        shown = [stop.neuron for stop in TOUR] + _most_divided(figures, 3)
        analyses = [analyse_neuron(LAYER, activations, n, parameters, index=index, task=task) for n in shown]
        report = folder / REPORT_FILE
        write_report(
            report,
            project,
            analyses,
            title="Neuron Prism: the demo, whose answer is known",
            introduction=INTRODUCTION,
            extra_sections=report_sections(figures),
            task=task,
        )
    write_bytes(folder / FIGURES_FILE, figures_json(figures).encode("utf-8"))
    return report


def project_figures(project: Project, parameters: Parameters, *, task: Task | None = None) -> DemoFigures:
    """Return the figures of a demo project's own pictures: their folders say what they show."""
    activations = project.activations(LAYER)
    head = load_network().head
    with torch.inference_mode():
        winners = head(torch.tensor(activations)).argmax(dim=1).tolist()
    labels = [label or "" for label in project.image_labels]
    return demo_figures(activations, labels, [CLASS_NAMES[i] for i in winners], parameters, task=task)


def _most_divided(figures: DemoFigures, count: int) -> list[int]:
    """Return the neurons with the most concepts, apart from the tour's."""
    others = [n for n in figures.neurons if n.neuron not in {stop.neuron for stop in TOUR}]
    return [n.neuron for n in sorted(others, key=lambda n: -len(n.found))[:count]]


def report_sections(figures: DemoFigures) -> tuple[ReportSection, ...]:
    """Return the figures as sections of a report."""
    reached = tuple(
        (target.name, target.required, target.measured, "reached" if target.reached else "missed")
        for target in targets(figures)
    )
    neurons = tuple(
        (
            str(n.neuron),
            ", ".join(f"{name} {count}" for name, count in n.planted),
            str(n.n_clusters),
            ", ".join(n.found),
            f"{n.adjusted_rand:.3f}" if n.is_polysemantic else "–",
            f"{min(n.precision):.0%}" if n.precision else "–",
        )
        for n in figures.neurons
    )
    return (
        ReportSection(
            "The demo's figures",
            (
                f"{figures.n_images:,} pictures; parameters as suggested for the layer: d_max "
                f"{figures.parameters.distance_threshold:.3g}, squared outlier radius "
                f"{figures.parameters.outlier_radius_squared:.3g}, top {figures.parameters.top_n} images.",
            ),
            (ReportTable(("figure", "target", "measured", "verdict"), reached),),
        ),
        ReportSection(
            "What was planted, and what was found",
            (),
            (
                ReportTable(
                    (
                        "neuron",
                        "planted among its top images",
                        "clusters",
                        "concepts found",
                        "Rand",
                        "projecting",
                    ),
                    neurons,
                    "Rand: adjusted Rand index of the clusters against the planted concepts, for "
                    "polysemantic neurons. Projecting: of the 25 images that project most on a concept "
                    "vector, the share that show its concept; the neuron's lowest.",
                ),
            ),
        ),
        ReportSection(
            "The paper retold",
            tuple(f"Neuron {stop.neuron} retells the paper's {stop.paper}. {stop.text}" for stop in TOUR),
        ),
    )


def figures_json(figures: DemoFigures) -> str:
    """Return the figures as JSON text."""
    content = {
        "note": "The answer was planted: this checks the tool, not the method.",
        "targets": [asdict(target) for target in targets(figures)],
        "images": figures.n_images,
        "accuracy": figures.accuracy,
        "parameters": figures.parameters.to_dict(),
        "mean_adjusted_rand": float(figures.adjusted_rand.mean()) if figures.polysemantic else None,
        "mean_precision": float(figures.precision.mean()) if len(figures.precision) else None,
        "lowest_precision": float(figures.precision.min()) if len(figures.precision) else None,
        "paper": asdict(figures.paper),
        "neurons": [
            {
                **asdict(n),
                "planted": dict(n.planted),
                "polysemantic": n.is_polysemantic,
                "monosemantic": n.is_monosemantic,
            }
            for n in figures.neurons
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
