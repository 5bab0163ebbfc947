# SPDX-License-Identifier: MIT
"""The benchmarks of pg.c with asyncpg: asyncpg_bench.py NAME LOOP COUNT, the loop asyncio or uvloop.

The environment names the server, see pg/server.h. It prints `count=N wall=S cpu=S worst=S`: so
many were done in so much time, once connected, with statements prepared and values in memory.
"""
import argparse
import asyncio
import datetime
import resource
from time import perf_counter

import asyncpg

CONNECTIONS = 10
POINT = "SELECT name, value FROM readings WHERE id = $1"


def cpu_time():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Stopwatch:
    def __init__(self):
        self.wall, self.cpu = perf_counter(), cpu_time()

    def report(self, count):
        wall, cpu = perf_counter() - self.wall, cpu_time() - self.cpu
        print(f"count={count} wall={wall:.6f} cpu={cpu:.6f} worst=0")


async def rows(count):
    connection = await asyncpg.connect()
    statement = await connection.prepare("SELECT * FROM readings")
    watch = Stopwatch()
    found = await statement.fetch()
    watch.report(count)
    assert len(found) == count


async def point(count):
    connections = [await asyncpg.connect() for _ in range(CONNECTIONS)]
    numbers = iter(range(count))

    async def work(statement):
        for number in numbers:
            row = await statement.fetchrow(number % 1000 + 1)
            assert row is not None
    statements = [await connection.prepare(POINT) for connection in connections]
    watch = Stopwatch()
    await asyncio.gather(*map(work, statements))
    watch.report(count)


async def single(count):
    connection = await asyncpg.connect()
    statement = await connection.prepare(POINT)
    watch = Stopwatch()
    for number in range(count):
        assert await statement.fetchrow(number % 1000 + 1) is not None
    watch.report(count)


def make_records(count):
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    return [(n, f"sensor number {n}", start + datetime.timedelta(seconds=n), n / 7)
            for n in range(1, count + 1)]


async def copy(count):
    connection = await asyncpg.connect()
    records = make_records(count)
    watch = Stopwatch()
    await connection.copy_records_to_table("copies", records=records)
    watch.report(count)


async def executemany(count):
    connection = await asyncpg.connect()
    records = make_records(count)
    watch = Stopwatch()
    await connection.executemany("INSERT INTO copies VALUES ($1, $2, $3, $4)", records)
    watch.report(count)


def main():
    benches = {bench.__name__: bench for bench in (rows, point, single, copy, executemany)}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=benches)
    parser.add_argument("loop", choices=["asyncio", "uvloop"])
    parser.add_argument("count", type=int)
    options = parser.parse_args()
    if options.loop == "uvloop":
        import uvloop
        uvloop.install()
    asyncio.run(benches[options.name](options.count))


main()
