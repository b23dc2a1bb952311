"""``neuronprism export``: write vectors, tables and a report."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from app.commands.command_parameters import SCALE, chosen_parameters, has_parameters
from app.commands.command_parser import given_parameters
from app.commands.command_progress import CommandTask
from app.commands.command_project import open_for_reading
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
    if result.warning:
        print(f"neuronprism: {result.warning}", file=sys.stderr)
    return 0


def _parameters(
    project: Project, arguments: argparse.Namespace, task: Task
) -> Callable[[str], Parameters] | None:
    """Return what gives the parameters that were asked for, layer by layer; None for the project's own."""
    if not has_parameters(arguments):
        return None
    of_one_scale = SCALE & given_parameters(arguments).keys()
    n_layers = sum(record.complete for record in project.layers)
    if of_one_scale and arguments.layer is None and arguments.preset != "published" and n_layers > 1:
        arguments.parser.error("a threshold or a radius holds for one layer's scale: give --layer too")
    return lambda layer: chosen_parameters(project, layer, arguments, task=task)
