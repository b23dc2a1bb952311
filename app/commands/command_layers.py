"""``neuronprism layers``: list the layers of a network."""

from __future__ import annotations

import argparse

from app.commands.command_model import load_confirmed, model_source
from app.commands.command_progress import CommandTask


def run_layers(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from backend.models import list_layers

    task = CommandTask(quiet=arguments.quiet)
    with task.interruptible():
        source = model_source(arguments.model, arguments.weights, arguments.size)
        loaded = load_confirmed(source, allow_code=arguments.yes_run_code, task=task, download=False)
        task.close()
        layers = [info for info in list_layers(loaded) if info.supported or arguments.all]
    width = max((len(info.name) for info in layers), default=0)
    for info in layers:
        # After the neurons the poolings, where there is a choice.
        shape = "×".join(map(str, info.output_shape)) if info.output_shape else "–"
        neurons = f"{info.n_neurons} neurons" if info.supported else info.reason
        poolings = f"; {', '.join(info.poolings)}" if len(info.poolings) > 1 else ""
        print(f"{info.name:<{width}}  {info.kind:<24}  {shape:<14}  {neurons}{poolings}")
    return 0
