"""The parts of a project's folder: database, lock, images, layers and annotations."""
