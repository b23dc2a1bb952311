"""What a layer's activations belong to: weights, preprocessing, pooling, precision."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from backend.networks.model_source import Pooling, Precision, Preprocessing

RecordedPrecision = Precision | Literal["unknown"]
"""A precision of the model's arithmetic; unknown if the activations were computed elsewhere."""


@dataclass(frozen=True)
class LayerBinding:
    """What a layer's activations belong to: another value of any of these means other activations.

    Attributes
    ----------
    weights_sha256
        Of the model's weights; "" if they were computed elsewhere and no network is known to give them.
    preprocessing
        How the images became the model's input; None if that is not known.
    pooling
        How a layer's output became one value for each neuron: ``mean`` over space for feature maps.
    precision
        Of the model's arithmetic.
    """

    weights_sha256: str
    preprocessing: Preprocessing | None
    pooling: Pooling
    precision: RecordedPrecision = "float32"

    @property
    def has_network(self) -> bool:
        """Whether a network is known that gives these activations."""
        return bool(self.weights_sha256)

    def to_columns(self) -> tuple[str, str, str, str]:
        """Return the columns weights_sha256, preprocessing (JSON), pooling, precision of the database."""
        preprocessing = None if self.preprocessing is None else self.preprocessing.to_dict()
        return self.weights_sha256, json.dumps(preprocessing), self.pooling, self.precision

    def difference(self, other: LayerBinding) -> str:
        """Return what differs from another binding, in words; an empty string if nothing does."""
        if self.has_network != other.has_network:
            return f"network ({'known' if self.has_network else 'not known'}, they were computed elsewhere)"
        if self.weights_sha256 != other.weights_sha256:
            return f"weights ({self.weights_sha256[:12]}…, not {other.weights_sha256[:12]}…)"
        if self.preprocessing != other.preprocessing:
            mine, others = _preprocessing_values(self), _preprocessing_values(other)
            changed = [
                f"{key} {mine.get(key)}, not {others.get(key)}"
                for key in mine | others
                if mine.get(key) != others.get(key)
            ]
            return f"preprocessing ({'; '.join(changed)})"
        if self.pooling != other.pooling:
            return f"pooling ({self.pooling}, not {other.pooling})"
        if self.precision != other.precision:
            return f"precision ({self.precision}, not {other.precision})"
        return ""


def _preprocessing_values(binding: LayerBinding) -> dict[str, Any]:
    return {} if binding.preprocessing is None else binding.preprocessing.to_dict()


def preprocessing_of_json(values: Mapping[str, Any] | None) -> Preprocessing | None:
    """Return the preprocessing that the column ``preprocessing`` holds; its JSON null stands for none."""
    return None if values is None else Preprocessing.from_dict(values)
