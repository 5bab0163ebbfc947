# SPDX-License-Identifier: MIT
"""The benchmarks of file.c with aiofiles: aiofiles_bench.py NAME COUNT [DEPTH].

It finds the files in the working directory, and prints `count=N wall=S cpu=S worst=S`: so many
were done in so much time. Processes are asyncio's own.
"""
import argparse
import asyncio
import resource
from time import perf_counter

import aiofiles


def cpu_time():
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


async def in_tasks(step, count, depth):
    numbers = iter(range(count))

    async def work():
        for number in numbers:
            await step(number)
    await asyncio.gather(*[work() for _ in range(depth)])


async def small_files(count, depth):
    async def read(number):
        async with aiofiles.open(f"small/{number}", "rb") as file:
            assert len(await file.read()) == 4096
    await in_tasks(read, count, depth)


async def lines(count, _):
    done = 0
    async with aiofiles.open("lines", "rb") as file:
        async for line in file:
            done += 1
            if done == count:
                return


async def spawn(count, depth):
    async def run(_):
        process = await asyncio.create_subprocess_exec("/bin/true")
        assert await process.wait() == 0
    await in_tasks(run, count, depth)


async def main():
    benches = {"small-files": small_files, "lines": lines, "spawn": spawn}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=benches)
    parser.add_argument("count", type=int)
    parser.add_argument("depth", type=int, nargs="?", default=1)
    options = parser.parse_args()
    wall, cpu = perf_counter(), cpu_time()
    await benches[options.name](options.count, options.depth)
    wall, cpu = perf_counter() - wall, cpu_time() - cpu
    print(f"count={options.count} wall={wall:.6f} cpu={cpu:.6f} worst=0")


asyncio.run(main())
