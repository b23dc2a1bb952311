"""What long work reports to, and asks whether to go on: no Qt, no threads."""

from typing import Protocol


class Cancelled(Exception):  # noqa: N818 - it is no error
    """The work was asked to stop. Not an error: nothing is shown to the user."""


class Task(Protocol):
    """A running job as the work sees it.

    Long functions take a ``task`` and call it from the thread that they run in.
    """

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Report that ``done`` of ``total`` units (images, steps) are finished."""

    def partial(self, result: object) -> None:
        """Hand over an intermediate, frozen result."""

    def check_cancelled(self) -> None:
        """Raise :class:`Cancelled` if the work was asked to stop."""


class SilentTask:
    """A task that nobody watches and nobody cancels: the default of every long function."""

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Ignore the progress."""

    def partial(self, result: object) -> None:
        """Ignore the intermediate result."""

    def check_cancelled(self) -> None:
        """Never stop."""
