"""The sandbox for whoever has an event loop: one thread a run, ended when the task is cancelled."""

import asyncio

from halfdoor.canon.checks import Ran, Run
from halfdoor.runner.pump import Stop
from halfdoor.runner.sandbox import Sandbox


async def run_in_thread(sandbox: Sandbox, run: Run) -> Ran:
    """`Sandbox.run` beside the loop. A cancellation kills what runs before it goes on up."""
    stop = Stop()
    running = asyncio.ensure_future(asyncio.to_thread(sandbox.run, run, stop))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.now()
        await asyncio.wait({running})
        raise
    finally:
        stop.close()
