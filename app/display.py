"""Is there a display to open a window on? Qt itself answers by aborting the process."""

import ctypes
from collections.abc import Mapping

WITHOUT_DISPLAY = {"offscreen", "minimal", "vnc", "linuxfb", "eglfs"}
"""Qt platforms that need neither X nor Wayland."""


def has_display(environment: Mapping[str, str], platform: str) -> bool:
    """Return whether a window can be opened.

    Parameters
    ----------
    environment
        As ``os.environ``.
    platform
        As ``sys.platform``; only on Linux and its relatives can a display be missing.
    """
    if platform in ("win32", "darwin"):
        return True
    if environment.get("QT_QPA_PLATFORM", "").partition(":")[0] in WITHOUT_DISPLAY:
        return True
    if environment.get("WAYLAND_DISPLAY"):
        return True
    return bool(environment.get("DISPLAY")) and _x_server_answers(environment["DISPLAY"])


def _x_server_answers(name: str) -> bool:
    """Connect to the X server once; true also where the X library is missing, which is another trouble."""
    try:
        library = ctypes.CDLL("libX11.so.6")
    except OSError:
        return True
    library.XOpenDisplay.restype = ctypes.c_void_p
    library.XOpenDisplay.argtypes = [ctypes.c_char_p]
    library.XCloseDisplay.argtypes = [ctypes.c_void_p]
    display = library.XOpenDisplay(name.encode())
    if not display:
        return False
    library.XCloseDisplay(display)
    return True
