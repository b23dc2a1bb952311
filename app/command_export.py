"""``neuronprism export``: write vectors, tables and a report."""

from __future__ import annotations

import argparse

from app.command_parameters import chosen_parameters, has_parameters
from app.command_progress import CommandTask
from app.command_project import open_for_reading
from backend.exchange.export import ExportOptions, export_project
from backend.method.parameters import Parameters
from backend.project import Project
from backend.task import Task


def run_export(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    task = CommandTask(quiet=arguments.quiet)
    with task.interruptible(), open_for_reading(arguments.project) as project:
        options = ExportOptions(
            parameters=_parameters(project, arguments, task),
            n_max_projecting=arguments.max_projecting,
            report=not arguments.no_report,
            n_reported=arguments.report_neurons,
        )
        result = export_project(
            project,
            arguments.out,
            layer=arguments.layer,
            neurons=arguments.neurons,
            options=options,
            task=task,
        )
        task.close()
    print(f"{result.n_neurons} neurons, {result.n_concepts} concept vectors")
    for file in result.files:
        print(file)
    return 0


def _parameters(project: Project, arguments: argparse.Namespace, task: Task) -> Parameters | None:
    """Return what was asked for; None leaves every layer its own."""
    if not has_parameters(arguments):
        return None
    if arguments.layer is None and arguments.preset != "published":
        layers = [record.name for record in project.layers if record.complete]
        if len(layers) != 1:
            arguments.parser.error("parameters hold for one layer: give --layer too")
        return chosen_parameters(project, layers[0], arguments, task=task)
    return chosen_parameters(project, arguments.layer or "", arguments, task=task)
