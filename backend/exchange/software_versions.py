"""The versions of everything that a result depends on."""

from __future__ import annotations

import platform
from functools import cache
from importlib import metadata

_PACKAGES = (
    "neuron-prism",
    "numpy",
    "scipy",
    "scikit-learn",
    "torch",
    "torchvision",
    "torch-lucent",
    "pillow",
)


@cache
def _installed() -> tuple[tuple[str, str], ...]:
    found = [("python", platform.python_version())]
    for package in _PACKAGES:
        try:
            found.append((package, metadata.version(package)))
        except metadata.PackageNotFoundError:
            # Run from its source tree, the program itself is not installed as a package.
            continue
    return tuple(found)


def software_versions() -> dict[str, str]:
    """Return package → version, of those that are installed, without importing any of them."""
    return dict(_installed())
