"""The system libraries that Qt needs on Linux: which are missing, and the command that installs them.

Run as ``python -m app.system_libraries`` before the window is opened for the first time.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libGLX.so.0": "libgl1",
    "libOpenGL.so.0": "libopengl0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libz.so.1": "zlib1g",
    "libzstd.so.1": "libzstd1",
}
"""Debian's and Ubuntu's package of each library that Qt's window and its X11 plugin load."""


def missing_libraries(binaries: Iterable[Path]) -> tuple[str, ...]:
    """Return the names of the shared libraries that the loader cannot find, sorted.

    Parameters
    ----------
    binaries
        Shared objects whose dependencies are asked of ``ldd``.
    """
    missing: set[str] = set()
    for binary in binaries:
        listing = subprocess.run(["ldd", str(binary)], capture_output=True, text=True, check=False).stdout
        missing.update(re.findall(r"^\s*(\S+) => not found", listing, flags=re.MULTILINE))
    # Qt's own libraries lie beside one another and are found at run time.
    return tuple(
        sorted(name for name in missing if not name.startswith(("libQt6", "libpyside", "libshiboken")))
    )


def qt_binaries() -> tuple[Path, ...]:
    """Return Qt's window library and the plugins that talk to a display, as installed."""
    spec = importlib.util.find_spec("PySide6")
    if spec is None or not spec.submodule_search_locations:
        return ()
    qt = Path(spec.submodule_search_locations[0]) / "Qt"
    wanted = [
        *(qt / "lib").glob("libQt6Gui.so.6"),
        *(qt / "lib").glob("libQt6Widgets.so.6"),
        *(qt / "lib").glob("libQt6XcbQpa.so.6"),
        *(qt / "plugins" / "platforms").glob("libq*.so"),
    ]
    # The plugins for embedded screens need libraries that a desktop does not have, and does not use.
    desktop = ("libQt6", "libqxcb", "libqoffscreen", "libqminimal.so", "libqwayland")
    return tuple(path for path in wanted if path.name.startswith(desktop))


def packages_for(libraries: Iterable[str]) -> tuple[str, ...]:
    """Return the packages that hold the libraries, sorted; libraries of no known package are left out."""
    return tuple(sorted({PACKAGES[name] for name in libraries if name in PACKAGES}))


def install_command(packages: Sequence[str]) -> list[list[str]]:
    """Return the commands that install packages, with sudo where the user is not root."""
    prefix = [] if os.geteuid() == 0 else ["sudo"]
    return [[*prefix, "apt-get", "update"], [*prefix, "apt-get", "install", "-y", *packages]]


def may_install() -> bool:
    """Tell whether apt is there and may be used without asking for a password."""
    if shutil.which("apt-get") is None:
        return False
    if os.geteuid() == 0:
        return True
    if shutil.which("sudo") is None:
        return False
    return subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0


def main() -> int:
    """Install what Qt misses, or print the exact command that does.

    Returns
    -------
    status
        0 if nothing is missing any more, 1 if the user has to act.
    """
    if not sys.platform.startswith("linux") or shutil.which("ldd") is None:
        return 0
    missing = missing_libraries(qt_binaries())
    if not missing:
        return 0
    packages = packages_for(missing)
    commands = install_command(packages) if packages else []
    if packages and may_install():
        print(f"Installing system libraries of Qt: {', '.join(packages)}", file=sys.stderr)
        # An update that fails for one source can still leave what is needed here.
        subprocess.run(commands[0], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        subprocess.run(commands[1], stdout=subprocess.DEVNULL, check=False)
        missing = missing_libraries(qt_binaries())
        if not missing:
            return 0
    print(f"Qt needs system libraries that are missing here: {', '.join(missing)}.", file=sys.stderr)
    if packages and shutil.which("apt-get"):
        print(f"Install them with: {' && '.join(' '.join(command) for command in commands)}", file=sys.stderr)
    else:
        print("Install them with the package manager of this system.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
