"""What the precision ``fast`` was found to change, kept with a project's layers, begun or planned."""

from __future__ import annotations

import json
from typing import Any, Final

from backend.activations.precision_check_result import PrecisionCheck
from backend.project_folder.project_database import ProjectDatabase

# In the table ``project``: layer → check, for layers that have no row in the table ``layers`` yet.
PLANNED_CHECKS: Final = "planned_precision_checks"


class PrecisionCheckTable:
    """The checks of a project's layers: measured before an extraction begins, then kept with the layer."""

    def __init__(self, database: ProjectDatabase) -> None:
        self._database = database

    def of_layer(self, layer: str) -> PrecisionCheck | None:
        """Return the check of a layer, extracted or not; None if there is none."""
        rows = self._database.query("SELECT precision_check FROM layers WHERE name = ?", (layer,))
        if not rows:
            values = planned_check(self._database, layer)
            return None if values is None else self._decode(json.dumps(values))
        ((text,),) = rows
        return None if text is None else self._decode(text)

    def save(self, layer: str, check: PrecisionCheck) -> None:
        """Keep the check of a layer, now or as soon as its extraction begins; of other layers' nothing."""
        values = (check.of_layer(layer) or check).to_dict()
        with self._database.transaction() as connection:
            changed = connection.execute(
                "UPDATE layers SET precision_check = ? WHERE name = ?", (json.dumps(values), layer)
            )
        if not changed.rowcount:
            planned = self._database.read_values("project").get(PLANNED_CHECKS, {})
            self._database.write_values("project", {PLANNED_CHECKS: planned | {layer: values}})

    def check(self) -> None:
        """Read all checks.

        Raises
        ------
        ProjectDamagedError
            If one cannot be read.
        """
        planned = self._database.read_values("project").get(PLANNED_CHECKS, {})
        for (name,) in self._database.query("SELECT name FROM layers"):
            self.of_layer(name)
        for name in planned:
            self.of_layer(name)

    def _decode(self, text: str) -> PrecisionCheck:
        return self._database.decode(text, "column layers.precision_check", PrecisionCheck.from_dict)


def planned_check(database: ProjectDatabase, layer: str) -> dict[str, Any] | None:
    """Return the check of a layer that has not been begun, as plain JSON values; None if there is none."""
    found: dict[str, Any] | None = database.read_values("project").get(PLANNED_CHECKS, {}).get(layer)
    return found
