"""What a gallery of any size takes: memory, disk, hours, machines, and what gives way first."""

from index_builder.sizing.constants import COSTS, Costs
from index_builder.sizing.estimate import DEFAULT_MACHINE, Estimate, Machine, estimate

__all__ = ["COSTS", "DEFAULT_MACHINE", "Costs", "Estimate", "Machine", "estimate"]
