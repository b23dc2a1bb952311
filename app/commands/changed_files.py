"""What commands say and do about images and network files that changed since activations were computed."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from backend.task import Task

if TYPE_CHECKING:
    from backend.networks.loaded_model import LoadedModel
    from backend.project import Freshness, Project

_CHANGES = {"changed": "changed", "touched": "another time of modification", "gone": "not there"}


def changed_files(freshness: Freshness) -> list[tuple[str, str]]:
    """Return each file that is not as it was, and what became of it."""
    return [
        *((file.path, _CHANGES[file.change]) for file in freshness.model_files),
        *((path, _CHANGES["changed"]) for path in freshness.changed),
        *((path, _CHANGES["gone"]) for path in freshness.gone),
    ]


def outdated_text(freshness: Freshness, project: Project) -> str:
    """Return in one line what is outdated, and the command that computes it again."""
    sentences = " ".join(freshness.outdated_sentences)
    command = f"neuronprism extract {project.path} --recompute-changed"
    return f"{freshness.mark}: {sentences} “{command}” computes it again."


def warn_if_outdated(freshness: Freshness, project: Project) -> None:
    """Say on standard error what changed since the activations were computed, and what to do."""
    if freshness.is_outdated:
        print(f"neuronprism: {outdated_text(freshness, project)}", file=sys.stderr)


def settle_changes(
    project: Project, loaded: LoadedModel, arguments: argparse.Namespace, task: Task
) -> list[str]:
    """Compare the project with its files as the options of ``extract`` say, and forget what is outdated.

    Returns
    -------
    list of str
        Lines that say what was found.
    """
    if not (arguments.check_content or arguments.recompute_changed):
        return []
    lines = []
    freshness = project.check_freshness(content=arguments.check_content, task=task)
    if freshness.n_compared:
        lines.append(f"{freshness.n_compared:,} images compared by content")
    if arguments.check_content:
        lines += record_contents(project, task)
    if arguments.recompute_changed:
        from backend.activations.recomputation import forget_outdated

        forgotten = forget_outdated(project, loaded, freshness, task=task)
        if forgotten.network:
            lines.append(f"Everything is computed again, for the network is another: its {forgotten.network}")
        elif forgotten.n_images:
            lines.append(f"{forgotten.n_images:,} changed or missing images are computed again")
        else:
            lines.append("Nothing changed since the activations were computed")
    return lines


def record_contents(project: Project, task: Task) -> list[str]:
    """Put the content of images on record where it is not yet; return lines that say so."""
    hashes = project.hash_images(task=task)
    return [f"Content of {hashes.n_hashed:,} images put on record"] if hashes.n_hashed else []
