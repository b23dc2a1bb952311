"""What the precision ``fast`` was found to change, kept with a project's layers, begun or planned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from backend.activations.precision_check_result import PrecisionCheck
from backend.project_folder.project_database import ProjectDatabase

PLANNED_CHECKS: Final = "planned_precision_checks"
"""Key of the table ``project``: layer → check, for layers that have no row in the table ``layers`` yet."""


class PrecisionCheckTable:
    """The checks of a project's layers: measured before an extraction begins, then kept with the layer."""

    def __init__(self, database: ProjectDatabase) -> None:
        self._database = database

    def of_layer(self, layer: str) -> PrecisionCheck | None:
        """Return the check of a layer, extracted or not; None if there is none."""
        rows = self._database.query("SELECT precision_check FROM layers WHERE name = ?", (layer,))
        if not rows:
            return planned_checks(self._database).get(layer)
        ((text,),) = rows
        if text is None:
            return None
        return self._database.decode(text, "column layers.precision_check", PrecisionCheck.from_dict)

    def save(self, layer: str, check: PrecisionCheck) -> None:
        """Keep the check of a layer, now or as soon as its extraction begins; of other layers' nothing."""
        values = (check.of_layer(layer) or check).to_dict()
        with self._database.transaction() as connection:
            changed = connection.execute(
                "UPDATE layers SET precision_check = ? WHERE name = ?", (json.dumps(values), layer)
            )
        if not changed.rowcount:
            planned = {name: one.to_dict() for name, one in planned_checks(self._database).items()}
            self._database.write_values("project", {PLANNED_CHECKS: planned | {layer: values}})

    def check(self) -> None:
        """Read all checks.

        Raises
        ------
        ProjectDamagedError
            If one cannot be read.
        """
        planned_checks(self._database)
        for (name,) in self._database.query("SELECT name FROM layers"):
            self.of_layer(name)


def planned_checks(database: ProjectDatabase) -> dict[str, PrecisionCheck]:
    """Return the checks of layers that were not begun when they were measured, by layer."""
    rows = database.query("SELECT value FROM project WHERE key = ?", (PLANNED_CHECKS,))
    return database.decode(rows[0][0], "table project", _checks) if rows else {}


def _checks(values: Mapping[str, Any]) -> dict[str, PrecisionCheck]:
    return {layer: PrecisionCheck.from_dict(check) for layer, check in values.items()}
