"""How the demo's pictures are drawn: a canvas, its backgrounds, and the things on it by theme."""
