# SPDX-License-Identifier: MIT
"""The benchmarks of micro.c in Python: asyncio_bench.py [--loop asyncio|uvloop] NAME [N].

Prints `NAME: VALUE UNIT`. A benchmark sets itself up for n tasks, children or timers and
returns a coroutine function, which does about `count` operations and returns how many they
were and the seconds that they took.
"""
import argparse
import asyncio
import random
import statistics
import sys
import threading
from time import perf_counter

AT_LEAST = 0.3  # seconds that a run takes
RUNS = 5  # of which the median counts


def expect(done, wanted):
    if done != wanted:
        sys.exit(f"asyncio_bench: {done} done, {wanted} expected")


def sum_below(count):
    return count * (count - 1) // 2


async def set_up_yield(n):
    async def yield_often(rounds):
        for _ in range(rounds):
            await asyncio.sleep(0)
        return rounds

    async def run(count):
        rounds = count // n + 1
        tasks = [asyncio.create_task(yield_often(rounds)) for _ in range(n)]
        start = perf_counter()
        for task in tasks:
            await task
        seconds = perf_counter() - start
        expect(sum(task.result() for task in tasks), rounds * n)
        return rounds * n, seconds
    return run


async def set_up_spawn(_):
    async def empty():
        return 1

    async def run(count):
        done = 0
        start = perf_counter()
        for _ in range(count):
            done += await asyncio.create_task(empty())
        seconds = perf_counter() - start
        expect(done, count)
        return count, seconds
    return run


async def set_up_handoff(_):
    async def put_often(queue, count):
        for i in range(count):
            await queue.put(i)

    async def run(count):
        queue, total = asyncio.Queue(1), 0
        producer = asyncio.create_task(put_often(queue, count))
        start = perf_counter()
        for _ in range(count):
            total += await queue.get()
        seconds = perf_counter() - start
        await producer
        expect(total, sum_below(count))
        return count, seconds
    return run


async def set_up_queue(_):
    async def run(count):
        queue, total = asyncio.Queue(64), 0
        for _ in range(8):
            await queue.put(0)
        start = perf_counter()
        for i in range(count):
            await queue.put(i)
            total += await queue.get()
        seconds = perf_counter() - start
        while not queue.empty():
            total += queue.get_nowait()
        expect(total, sum_below(count))
        return count, seconds
    return run


async def set_up_lock(_):
    async def run(count):
        lock, done = asyncio.Lock(), 0
        start = perf_counter()
        for _ in range(count):
            await lock.acquire()
            done += 1
            lock.release()
        seconds = perf_counter() - start
        expect(done, count)
        return count, seconds
    return run


async def set_up_timers(n):
    loop = asyncio.get_running_loop()
    rng = random.Random(1)

    def never_due():
        sys.exit("asyncio_bench: a timer fired that was cancelled or far away")

    pending = [loop.call_later(rng.uniform(3600, 7200), never_due) for _ in range(n)]

    async def run(count):
        base = loop.time()
        deadlines = [base + rng.uniform(3600, 7200) for _ in range(4096)]
        start = perf_counter()
        for i in range(count):
            loop.call_at(deadlines[i % 4096], never_due).cancel()
            if i % 1000 == 999:
                await asyncio.sleep(0)
        seconds = perf_counter() - start
        expect(len(pending), n)
        return count, seconds
    return run


async def set_up_gather(n):
    async def give_back(number):
        return number

    async def run(count):
        rounds, total = count // n + 1, 0
        start = perf_counter()
        for i in range(rounds):
            total += sum(await asyncio.gather(*[give_back(i + j) for j in range(n)])) - i * n
        seconds = perf_counter() - start
        expect(total, rounds * sum_below(n))
        return rounds * n, seconds
    return run


async def set_up_generator(_):
    async def count_up(end):
        for i in range(end):
            yield i

    async def run(count):
        total = 0
        start = perf_counter()
        async for value in count_up(count):
            total += value
        seconds = perf_counter() - start
        expect(total, sum_below(count))
        return count, seconds
    return run


async def set_up_thread(_):
    def empty():
        return 1

    async def run(count):
        done = 0
        start = perf_counter()
        for _ in range(count):
            done += await asyncio.to_thread(empty)
        seconds = perf_counter() - start
        expect(done, count)
        return count, seconds
    return run


async def set_up_wake(_):
    loop = asyncio.get_running_loop()

    def wake_often(asked, woken, count):
        for _ in range(count):
            asked.acquire()
            loop.call_soon_threadsafe(woken.set)

    async def run(count):
        asked, woken = threading.Semaphore(0), asyncio.Event()
        waker = threading.Thread(target=wake_often, args=(asked, woken, count))
        waker.start()
        start = perf_counter()
        for _ in range(count):
            asked.release()
            await woken.wait()
            woken.clear()
        seconds = perf_counter() - start
        waker.join()
        return count, seconds
    return run


def occupied():
    """Bytes that the process occupies, with its page tables."""
    with open("/proc/self/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    return 1024 * (int(fields["VmRSS"].split()[0]) + int(fields["VmPTE"].split()[0]))


async def sleepers(n):
    asleep = 0

    async def sleep_long():
        nonlocal asleep
        asleep += 1
        await asyncio.sleep(1e6)

    before, start = occupied(), perf_counter()
    tasks = [asyncio.create_task(sleep_long()) for _ in range(n)]
    while asleep < n:
        await asyncio.sleep(0)
    started, after, middle = perf_counter(), occupied(), perf_counter()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    ended = perf_counter()
    expect(sum(task.cancelled() for task in tasks), n)
    print(f"sleepers: {(after - before) / n:.0f} bytes")
    print(f"sleepers-start: {started - start:.3f} s")
    print(f"sleepers-end: {ended - middle:.3f} s")


async def median(run):
    """Nanoseconds an operation: the median of runs that are long enough."""
    count, seconds = await run(10)
    while seconds < AT_LEAST:
        factor = min(100, max(1.5, 1.2 * AT_LEAST / seconds))
        count, seconds = await run(int(factor * count) + 1)
    ns = []
    for _ in range(RUNS):
        done, seconds = await run(count)
        ns.append(1e9 * seconds / done)
    return statistics.median(ns)


BENCHES = {  # name -> set-up and the n where none is given
    "yield": (set_up_yield, 2),
    "spawn": (set_up_spawn, 1),
    "handoff": (set_up_handoff, 1),
    "queue": (set_up_queue, 1),
    "lock": (set_up_lock, 1),
    "timers": (set_up_timers, 1000),
    "gather": (set_up_gather, 10),
    "generator": (set_up_generator, 1),
    "thread": (set_up_thread, 1),
    "wake": (set_up_wake, 1),
}


async def play(name, n):
    if name == "sleepers":
        await sleepers(n or 100000)
    else:
        set_up, default = BENCHES[name]
        print(f"{name}: {await median(await set_up(n or default)):.2f} ns")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")
    parser.add_argument("name", choices=[*BENCHES, "sleepers"])
    parser.add_argument("n", type=int, nargs="?", default=0)
    options = parser.parse_args()
    factory = asyncio.new_event_loop
    if options.loop == "uvloop":
        import uvloop
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(play(options.name, options.n))


main()
