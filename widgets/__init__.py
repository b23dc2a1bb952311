"""The visual parts: each takes plain data and emits signals, and knows no project."""
