"""Sizes in bytes, in the unit that suits them."""

_UNITS = ("B", "kB", "MB", "GB", "TB")


def byte_size(n_bytes: float) -> str:
    """Return a size in decimal units with three digits: ``"12.3 MB"``."""
    for unit in _UNITS:
        # 999.5 would be written as 1e+03.
        if n_bytes < 999.5 or unit == _UNITS[-1]:
            break
        n_bytes /= 1000
    return f"{n_bytes:.3g} {unit}" if n_bytes < 999.5 else f"{n_bytes:,.0f} {unit}"
