"""The model that activations belong to: weights, preprocessing, and the files that it came from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from backend.errors import ProjectError
from backend.networks.model_source import ModelSource, Preprocessing
from backend.project_folder.file_content import file_sha256
from backend.project_folder.file_state import FileState
from backend.project_folder.layer_binding import LayerBinding
from backend.project_folder.model_files import ModelFile, ModelFileKind, read_model_files
from backend.project_folder.project_database import ProjectDatabase
from backend.project_folder.project_layers import LayerTable


class ModelBinding:
    """What the table ``project`` says of the model, from the first extraction on."""

    def __init__(self, database: ProjectDatabase, layers: LayerTable, source: ModelSource) -> None:
        self._database = database
        self._layers = layers
        self._source = source
        self._values = database.read_values("project")

    @property
    def weights_sha256(self) -> str | None:
        """Hash of the weights; None before the first extraction."""
        return self._values.get("weights_sha256")

    @property
    def preprocessing(self) -> Preprocessing | None:
        """How images become the model's input; None before the first extraction."""
        values = self._values.get("preprocessing")
        return None if values is None else Preprocessing.from_dict(values)

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Names of the classifier's outputs, if known."""
        names = self._values.get("class_names")
        return None if names is None else tuple(names)

    @property
    def files(self) -> tuple[ModelFile, ...]:
        """The model's files as they were when activations were computed with it."""
        return tuple(ModelFile.from_dict(values) for values in self._values.get("model_files", ()))

    def require(self, weights_sha256: str, preprocessing: Preprocessing) -> None:
        """Refuse another model; see :meth:`backend.project.Project.require_model`."""
        if self.weights_sha256 is None or self.preprocessing is None or not self._layers.records():
            return
        # Each layer has a pooling of its own.
        bound = LayerBinding(self.weights_sha256, self.preprocessing, "mean")
        if difference := bound.difference(LayerBinding(weights_sha256, preprocessing, "mean")):
            raise ProjectError(
                f"The project {self._database.folder} belongs to another model: its {difference}. "
                "Their activations would not go together, so make a new project for this model."
            )

    def bind(
        self, weights_sha256: str, preprocessing: Preprocessing, class_names: Iterable[str] | None
    ) -> None:
        """Tie the project to a model; see :meth:`backend.project.Project.bind_model`."""
        self.require(weights_sha256, preprocessing)
        self._database.write_values(
            "project",
            {
                "weights_sha256": weights_sha256,
                "preprocessing": preprocessing.to_dict(),
                "class_names": None if class_names is None else list(class_names),
                "model_files": [file.to_dict() for file in self._files_to_keep()],
            },
        )
        self._values = self._database.read_values("project")

    def rebind(self, weights_sha256: str, preprocessing: Preprocessing) -> None:
        """Forget every row that was extracted and tie the project to another model, both or neither."""
        files = [file.to_dict() for file in read_model_files(self._source)]
        values = {
            "weights_sha256": weights_sha256,
            "preprocessing": preprocessing.to_dict(),
            "model_files": files,
        }
        self._layers.rebind(
            weights_sha256, preprocessing, {key: json.dumps(value) for key, value in values.items()}
        )
        self._values = self._database.read_values("project")

    def confirm_files(self) -> None:
        """Take the model's files as they are now."""
        files = read_model_files(self._source, self.files)
        self._database.write_values("project", {"model_files": [file.to_dict() for file in files]})
        self._values = self._database.read_values("project")

    def relocate(self, kind: ModelFileKind, path: Path) -> None:
        """Take another place for a file; see :meth:`backend.project.Project.relocate_model_file`."""
        known = next((file for file in self.files if file.kind == kind), None)
        state, sha256 = FileState.of(path), file_sha256(path)
        if state is None or sha256 is None:
            raise ProjectError(f"The file {path} cannot be read.")
        if known is None or sha256 != known.sha256:
            what = "of which nothing is on record" if known is None else "which has another content"
            title = "weights file" if kind == "weights" else "Python file"
            raise ProjectError(f"{path} is not the {title} that the activations came from, {what}.")
        if kind == "weights":
            source = replace(self._source, weights=str(path))
        else:
            source = replace(self._source, architecture=f"{path}:{self._source.python_callable}")
        moved = ModelFile(kind, str(path), state.size, state.mtime_ns, sha256)
        files = [moved if file == known else file for file in self.files]
        self._database.write_values(
            "project",
            {"model_source": source.to_dict(), "model_files": [file.to_dict() for file in files]},
        )
        self._values, self._source = self._database.read_values("project"), source

    def _files_to_keep(self) -> tuple[ModelFile, ...]:
        """Return the model's files as they are now; a Python file as it was if rows were computed with that.

        The same weights in another file change nothing, and their hash was compared. What a Python file does
        with them is not in that hash.
        """
        known = {file.path: file for file in self.files}
        kept = known if self._layers.stored_rows().any() else {}
        return tuple(
            kept.get(file.path, file) if file.kind == "python" else file
            for file in read_model_files(self._source, known.values())
        )
