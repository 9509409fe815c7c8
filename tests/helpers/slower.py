"""How the time that work takes grows with its size: by ratio, so that a slow machine says the same."""

import time


def slower(work):
    """How many times as long it takes for a size that is sixteen times as large."""

    def cost(size):
        began = time.process_time()
        work(size)
        return time.process_time() - began

    few, many = (min(cost(size) for _ in range(3)) for size in (10_000, 160_000))
    return many / few
