"""What a concept's card lists: the classes it raises and lowers most, and those that change without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.evaluation.concept_effect_result import ConceptEffect
from widgets.quantity_text import activation_text, share_text

N_EACH_WAY = 5
"""Classes listed that the concept raises most, and as many that it lowers most."""

N_CHANGES = 5
"""Classes listed whose probability changes most without the concept."""

UNIT = "logits per unit of activation"


@dataclass(frozen=True)
class ClassEffect:
    """How one class follows the concept.

    Attributes
    ----------
    name
        Of the class.
    sensitivity, null_low, null_high
        In logits per unit of activation.
    positive_share
        From 0 to 1, the TCAV score.
    beyond_null
        Whether the sensitivity lies outside the null.
    """

    name: str
    sensitivity: float
    null_low: float
    null_high: float
    positive_share: float
    beyond_null: bool

    def sentence(self, n_images: int) -> str:
        """Say everything about the class in words."""
        verb = "raises" if self.sensitivity > 0 else "lowers"
        where = "beyond" if self.beyond_null else "within"
        return (
            f"The concept {verb} “{self.name}” by {activation_text(abs(self.sensitivity))} {UNIT}, {where} "
            f"the 95 % of random directions from {signed_text(self.null_low)} to "
            f"{signed_text(self.null_high)}; "
            f"it raises it in {share_text(self.positive_share)} of {n_images} images (TCAV score)"
        )


@dataclass(frozen=True)
class ProbabilityChange:
    """A class's probability, from 0 to 1, with the concept and with it projected out."""

    name: str
    before: float
    after: float

    def text(self) -> str:
        """Return "45 % → 12 %"."""
        return f"{share_text(self.before)} → {share_text(self.after)}"


@dataclass(frozen=True)
class EffectRows:
    """What a card shows of one effect.

    Attributes
    ----------
    n_images
        Members that were put through the network.
    n_classes
        Outputs of the network.
    classes
        The listed classes by descending sensitivity.
    n_before_gap
        How many of them come before those left out; all of them where none is.
    changes
        The listed changes, the largest first.
    """

    n_images: int
    n_classes: int
    classes: tuple[ClassEffect, ...]
    n_before_gap: int
    changes: tuple[ProbabilityChange, ...]

    @property
    def has_gap(self) -> bool:
        """Whether classes are left out between those raised and those lowered most."""
        return self.n_before_gap < len(self.classes)

    def description(self) -> str:
        """Return the whole card in words."""
        lines = [one.sentence(self.n_images) for one in self.classes]
        lines += [f"Without the concept “{change.name}”: {change.text()}" for change in self.changes]
        return ".\n".join(lines) + "."


def effect_rows(effect: ConceptEffect, names: Sequence[str]) -> EffectRows:
    """Choose what is shown of an effect; ``names`` has one name for each of its outputs."""
    n_classes = len(effect.sensitivities)
    order = effect.most_raised(n_classes)
    has_gap = n_classes > 2 * N_EACH_WAY
    if has_gap:
        order = np.concatenate([order[:N_EACH_WAY], order[-N_EACH_WAY:]])
    classes = tuple(
        ClassEffect(
            name=names[output],
            sensitivity=float(effect.sensitivities[output]),
            null_low=float(effect.null_low[output]),
            null_high=float(effect.null_high[output]),
            positive_share=float(effect.positive_shares[output]),
            beyond_null=effect.beyond_null(output),
        )
        for output in order.tolist()
    )
    changes = tuple(
        ProbabilityChange(
            names[output], float(effect.probabilities[output]), float(effect.probabilities_without[output])
        )
        for output in effect.most_changed(N_CHANGES).tolist()
    )
    return EffectRows(effect.n_images, n_classes, classes, N_EACH_WAY if has_gap else n_classes, changes)


def signed_text(value: float) -> str:
    """Return a value with its sign: "+0.12", "−0.12", "0"."""
    text = activation_text(value)
    return text.replace("-", "−", 1) if value < 0 else f"+{text}" if value > 0 else text
