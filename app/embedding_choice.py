"""Which embedding the user last looked at, kept in the settings."""

from __future__ import annotations

from app.settings import Settings
from backend.errors import ParameterError
from backend.evaluation.embedding_result import HIGHEST_SEED, METHOD_NAMES, EmbeddingSettings
from widgets.embedding.embedding_bar import EmbeddingChoice

_METHODS = tuple(METHOD_NAMES)


def chosen_embedding(settings: Settings) -> EmbeddingChoice:
    """Return the choice that was saved; the usual one in place of anything that cannot be."""
    usual = EmbeddingChoice()
    method = settings.number("embedding/method", 0)
    seed = settings.number("embedding/seed", usual.seed)
    try:
        kept = EmbeddingSettings(
            n_neighbors=settings.number("embedding/neighbors", usual.settings.n_neighbors),
            perplexity=float(settings.number("embedding/perplexity", round(usual.settings.perplexity))),
        )
    except ParameterError:
        kept = usual.settings
    return EmbeddingChoice(
        method=_METHODS[method] if 0 <= method < len(_METHODS) else usual.method,
        seed=seed if 0 <= seed <= HIGHEST_SEED else usual.seed,
        settings=kept,
        left_out=settings.flag("embedding/left_out", usual.left_out),
    )


def save_embedding_choice(settings: Settings, choice: EmbeddingChoice) -> None:
    """Save a choice for the next start."""
    settings.set_number("embedding/method", _METHODS.index(choice.method))
    settings.set_number("embedding/seed", choice.seed)
    settings.set_number("embedding/neighbors", choice.settings.n_neighbors)
    settings.set_number("embedding/perplexity", round(choice.settings.perplexity))
    settings.set_flag("embedding/left_out", choice.left_out)
