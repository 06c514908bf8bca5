"""What a process that takes strangers' media apart gives up. Standard library only."""

from __future__ import annotations

import resource

FILES = 256


def confine(memory: int | None = None) -> None:
    """Have this process write no file and leave no core, and open FILES descriptors at most.

    `memory`: bytes of address space; None: no bound. What is open stays so, pipes can be written.
    """
    if memory is not None:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
