"""Float64 computation: problem instances, the objective, its minima by descent, and their certificates."""
