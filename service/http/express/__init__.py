"""Plain searches answered by their connection: the checks and the work of the layers in one call, without a task."""
