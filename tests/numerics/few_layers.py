"""Layers on chosen instances, for tests of what a layer makes of one statement."""

from typing import Any

from numerics.layers.descent import DescentLayer
from numerics.layers.floating import FloatLayer
from numerics.problem import Problem


class Few(FloatLayer):
    """The numeric layer on chosen instances."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(0)
        self.few = problems

    def problems(self, kind: str) -> Any:
        return self.few


class FewDescents(DescentLayer):
    """The descent layer on chosen instances."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(0, real_data=False)
        self.few = problems

    def problems(self, kind: str) -> Any:
        return self.few

    def groups(self) -> Any:
        yield self.few
