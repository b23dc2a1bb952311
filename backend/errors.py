"""Errors that reach the user: each message is a sentence that says what happened, to what, and what to do."""


class NeuronPrismError(Exception):
    """Base of every error whose text is meant for the user as it stands."""


class ParameterError(NeuronPrismError):
    """A parameter of the method is out of its range, or two do not go together."""


class ModelError(NeuronPrismError):
    """A model cannot be found, loaded or run, or has no such layer."""


class ImageError(NeuronPrismError):
    """An image, or a folder of images, cannot be used."""


class ProjectError(NeuronPrismError):
    """A project cannot be created, opened, read or written."""


class ExtractionError(NeuronPrismError):
    """Activations cannot be extracted or stored."""


class ExportError(NeuronPrismError):
    """A result cannot be written where it was asked for."""


class ActivationImportError(NeuronPrismError):
    """Activations that were computed elsewhere cannot be imported."""


class EmbeddingError(NeuronPrismError):
    """Images cannot be put into a plane by the method that was chosen."""
