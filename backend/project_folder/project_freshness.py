"""Whether what a project holds still belongs to the images and the network that it was computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.project_folder.file_state import is_folder
from backend.project_folder.model_files import ModelFileChange, changes_of, newer_files
from backend.task import Task

if TYPE_CHECKING:
    from backend.project_folder.project_results import ProjectResults

_N_NAMED = 3


@dataclass(frozen=True)
class Freshness:
    """What changed since a project's activations were computed.

    Attributes
    ----------
    n_images
        Images of the project.
    changed, gone
        Images (paths relative to their folder) with activations whose file is another than the one that was
        read, or is not there any more. Of a folder that is not there at all none is counted.
    rows
        Rows of both, ascending.
    images_root, images_found
        Their folder, and whether it is there with any of them.
    model_files
        Files of the network that are others, or gone.
    n_compared
        Images whose content was compared, 0 if only size and time of modification were.
    """

    n_images: int
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    rows: tuple[int, ...]
    images_root: Path
    images_found: bool
    model_files: tuple[ModelFileChange, ...]
    n_compared: int = 0

    @property
    def network_changed(self) -> bool:
        """Whether a file of the network has, or may have, another content."""
        return any(file.change != "gone" for file in self.model_files)

    @property
    def mark(self) -> str:
        """The mark of results: "outdated"; "perhaps outdated" if that is not sure; "" if they are not."""
        if bool(self.rows) or any(file.change == "changed" for file in self.model_files):
            return "outdated"
        return "perhaps outdated" if self.is_outdated else ""

    @property
    def is_outdated(self) -> bool:
        """Whether results may not be those of the present images and network."""
        return bool(self.rows) or self.network_changed

    @property
    def sentences(self) -> tuple[str, ...]:
        """What changed, one sentence each; none if nothing did."""
        found = []
        if self.changed:
            found.append(
                f"{_of(len(self.changed), self.n_images)} changed since {_its(self.changed)} activations "
                f"were computed ({_names(self.changed)})."
            )
        if self.gone:
            found.append(
                f"{_of(len(self.gone), self.n_images, 'is', 'are')} not there any more ({_names(self.gone)})."
            )
        if not self.images_found:
            found.append(f"The images folder {self.images_root} is not there at present.")
        found += [file.sentence for file in self.model_files]
        return tuple(found)

    @property
    def brief(self) -> str:
        """Everything in one or two short sentences, without the names of images; "" if nothing changed."""
        found = []
        if self.changed:
            found.append(f"{_images(len(self.changed))} changed")
        if self.gone:
            found.append(f"{_images(len(self.gone), 'is', 'are')} gone")
        found += [
            f"the {file.title} {'was' if file.change == 'changed' else 'may have been'} changed"
            for file in self.model_files
            if file.change != "gone"
        ]
        texts = []
        if found:
            text = " and ".join(filter(None, [", ".join(found[:-1]), found[-1]]))
            texts.append(f"{text[0].upper()}{text[1:]} since the activations were computed.")
        if not self.images_found:
            texts.append(f"The images folder {self.images_root} is not there at present.")
        texts += [file.sentence for file in self.model_files if file.change == "gone"]
        return " ".join(texts)

    @property
    def outdated_sentences(self) -> tuple[str, ...]:
        """Those of :attr:`sentences` that concern results; none if :attr:`is_outdated` is false."""
        return self.sentences if self.is_outdated else ()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {
            "outdated": self.is_outdated,
            "sentences": list(self.sentences),
            "changed_images": list(self.changed),
            "gone_images": list(self.gone),
            "images_found": self.images_found,
            "model_files": [
                {"kind": file.kind, "path": file.path, "change": file.change} for file in self.model_files
            ],
            "images_compared_by_content": self.n_compared,
        }


def check_freshness(project: ProjectResults, *, content: bool = False, task: Task | None = None) -> Freshness:
    """Compare the files of images and network with what is on record of them.

    Parameters
    ----------
    project
        May be read-only.
    content
        Whether the files are read and compared by content, where their hash is on record. Else only size and
        time of modification are, and a file of the network is read only if its time is another.
    task
        Is told of the progress, and can stop it.
    """
    changes = project.images.changes(content=content, task=task)
    stored = project.extracted_layers.stored_rows()
    found = is_folder(project.images_root) and len(changes.gone) < max(1, project.n_images)
    changed = [row for row in changes.changed if stored[row]]
    gone = [row for row in changes.gone if stored[row]] if found else []
    paths = project.image_paths
    return Freshness(
        n_images=project.n_images,
        changed=tuple(paths[row] for row in changed),
        gone=tuple(paths[row] for row in gone),
        rows=tuple(sorted((*changed, *gone))),
        images_root=project.images_root,
        images_found=found,
        model_files=check_model_files(project, content=content, task=task),
        n_compared=changes.n_compared,
    )


def check_model_files(
    project: ProjectResults, *, content: bool = False, task: Task | None = None
) -> tuple[ModelFileChange, ...]:
    """Compare the files of the network alone, as :func:`check_freshness` does."""
    extracted = [record for record in project.layers if record.origin is None and record.n_done]
    if not extracted:
        return ()
    known = project.model_files
    first = min(datetime.fromisoformat(record.created).timestamp() for record in extracted)
    return (
        *changes_of(known, content=content, task=task),
        *newer_files(project.model_source, first, known=known),
    )


def _of(count: int, total: int, one: str = "was", several: str = "were") -> str:
    return f"{count:,} of {total:,} images {one if count == 1 else several}"


def _images(count: int, one: str = "was", several: str = "were") -> str:
    return f"{count:,} image {one}" if count == 1 else f"{count:,} images {several}"


def _its(paths: Sequence[str]) -> str:
    return "its" if len(paths) == 1 else "their"


def _names(paths: Sequence[str]) -> str:
    return ", ".join(paths[:_N_NAMED]) + (", …" if len(paths) > _N_NAMED else "")
