"""Seeds of single pieces of work, derived from the one seed of a run."""

import zlib


def derive_seed(seed: int, *names: str) -> int:
    """A seed for one piece of work, the same in every process: the run's seed mixed with the names of the work."""
    return (seed + zlib.crc32("/".join(names).encode())) % 2**31
