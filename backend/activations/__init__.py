"""Activations of a layer: extracted once, kept on disk, read as a memory map."""
