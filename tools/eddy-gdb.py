# SPDX-License-Identifier: MIT
"""Eddy's tasks in gdb:  (gdb) source eddy-gdb.py

    eddy tasks           the tasks and generators of all loops of the process
    eddy bt TASK [full]  the backtrace of a task, by its name, number or function; `all`: of each
    eddy gcore [FILE]    a core file that has the stacks of the tasks

Works on a live process, in whatever thread it stopped, and on a core file; calls no function of
the process and changes nothing in it. Needs the debug information of the library (meson's default).

A loop is found through the static list in loop.c, a task through the slabs of stacks: see
src/task/stack.c. A task that does not run has left its stack pointer, frame pointer and program
counter in its context. An unwinder hands these to gdb as the registers of the caller of the
innermost frame; every other register was saved by the compiler around the switch, where the
unwind tables find it. The real frame is then left out of what is printed.
"""
import itertools
import struct

import gdb
from gdb.unwinder import Unwinder, register_unwinder

STATES = ("not started", "at a yield", "running", "closing", "ended")
FREE, TASK, GENERATOR = range(3)
NO_DEBUG_INFORMATION = (
    "eddy: no debug information of the library. Either no Eddy is in this process, or libeddy was "
    "stripped or built with -Ddebug=false.")


def symbol_of(name, file):
    """The variable of that name of a source file of the library, or None."""
    for symbol in gdb.lookup_static_symbols(name):
        if symbol.symtab.filename.endswith(file):
            return symbol.value()
    return None


def type_of(name, function):
    """The type of that name where a function of the library sees it."""
    symbol = gdb.lookup_global_symbol(function)
    if symbol is None:
        raise gdb.GdbError(NO_DEBUG_INFORMATION)
    return gdb.lookup_type(name, symbol.symtab.static_block())


def container(pointer, kind, member):
    """ed_container_of: what has `member` at that address."""
    field = next(f for f in kind.fields() if f.name == member)
    return gdb.Value(int(pointer) - field.bitpos // 8).cast(kind.pointer())


def links(first):
    while first:
        yield first
        first = first["next"]


def text(pointer):
    return pointer.string(errors="replace") if pointer else "?"


class Types:
    """The types of the library, looked up anew for each command."""

    def __init__(self):
        self.loop = type_of("struct eddy_loop", "eddy_loop_new")
        self.slab = type_of("struct ed_slab", "ed_stack_next")
        self.stack = type_of("struct ed_stack", "ed_stack_next")
        self.task = type_of("struct eddy_task", "ed_task_next")
        self.generator = type_of("struct generator", "ed_generator_name")


class Registers:
    """The names of the registers that a context keeps, on this processor."""

    def __init__(self):
        name = gdb.newest_frame().architecture().name()
        if name.startswith("aarch64"):
            self.sp, self.pc, self.fp = "sp", "pc", "x29"
        elif name == "i386:x86-64":
            self.sp, self.pc, self.fp = "rsp", "rip", "rbp"
        else:
            raise gdb.GdbError(f"eddy: unknown processor {name}")


def stacks_of(loop, types):
    """Yields (lowest address, end, ed_stack) of each slot in use of a loop."""
    if not loop["tasks"]:
        return
    classes = loop["tasks"]["stacks"]["classes"]
    first, last = classes.type.range()
    for i in range(first, last + 1):
        for which in ("open", "full"):
            for link in links(classes[i][which]["first"]):
                yield from slots_of(container(link, types.slab, "link"), types)


def slots_of(slab, types):
    memory, size = int(slab["memory"]), int(slab["slot_size"])
    for slot in range(int(slab["fresh"])):
        end = memory + (slot + 1) * size
        address = end - slot % 32 * 64 - types.stack.sizeof
        stack = gdb.Value(address).cast(types.stack.pointer())
        if int(stack["use"]) != FREE:
            yield memory + slot * size, end, stack


class Flow:
    """What lives on a stack: a task or a generator."""

    def __init__(self, loop, low, end, stack):
        self.loop, self.low, self.end, self.stack = loop, low, end, stack
        self.thread = None  # that runs on this stack now

    def holds(self, address):
        return self.low <= int(address) < self.end


class Task(Flow):
    def __init__(self, loop, slot, types):
        super().__init__(loop, *slot)
        self.task = container(self.stack, types.task, "stack")
        self.number = int(self.task["id"])
        self.id = f"Task-{self.number}"
        self.name = self.task["name"].string(errors="replace") or self.id
        self.function = text(self.task["function"]["name"])
        self.ready = False

    def context(self):
        return self.task["context"]

    def address(self):
        return int(self.task)

    def contexts(self):
        return [self.task["context"]]

    def runs(self):
        return not self.ended() and (self.thread is not None or
                                     not (self.task["wait"] or self.ready))

    def ended(self):
        return bool(self.task["is"]["done"])

    def started(self):
        return int(self.context()["pc"]) != int(symbol_of("task_main", "task/task.c").address)

    def line(self, process):
        name = self.id if self.name == self.id else f"{self.name} ({self.id})"
        return (f"{name}, {self.function}() created at {text(self.task['where'])}, "
                f"{self.state(process)}")

    def state(self, process):
        if self.ended():
            return f"has ended with {int(self.task['rc'])}"
        if self.runs():
            return f"runs in thread {self.thread.num}" if self.thread else "runs"
        if self.ready:
            return "is ready" if self.started() else "has not started"
        wait = self.task["wait"]
        state = f"waits in {text(wait['kind']['name'])}"
        holder = self.holder(process)
        if holder:
            return f"{state} for {holder.name}"
        return f"{state} of {int(wait['object']):#x}" if wait["object"] else state

    def holder(self, process):
        """The task that could end its wait, where that is in the open."""
        wait = self.task["wait"]
        kind, what = text(wait["kind"]["name"]), wait["object"]
        if kind in ("await", "join", "wait_for"):
            return process.task_at(what)
        if kind == "lock.acquire":
            lock = what.cast(type_of("struct eddy_lock", "eddy_lock_acquire").pointer())
            owner = process.task_at(lock["owner"])
            return owner if owner and owner.number == int(lock["owner_id"]) else None
        if kind == "group.join":
            group = what.cast(type_of("struct eddy_group", "eddy_group_join").pointer())
            child = group["children"]["first"]
            return child and process.task_at(container(child, process.types.task, "group_link"))
        return None


class Generator(Flow):
    def __init__(self, loop, slot, types):
        super().__init__(loop, *slot)
        self.generator = container(self.stack, types.generator, "stack")
        self.head = self.generator["head"]

    def address(self):
        return int(self.generator)

    def contexts(self):
        return [self.head["body"], self.head["caller"]]

    def line(self):
        return (f"generator {text(self.generator['name'])}() "
                f"created at {text(self.generator['where'])}, {STATES[int(self.head['state'])]}")


class Process:
    """The loops of the process with their tasks and generators, as they are now."""

    def __init__(self):
        if gdb.selected_thread() is None:
            raise gdb.GdbError("eddy: no process and no core file")
        loops = symbol_of("loops", "loop/loop.c")
        if loops is None:
            raise gdb.GdbError(NO_DEBUG_INFORMATION)
        self.types = Types()
        self.loops, self.tasks, self.generators = [], [], []
        self.by_address = {}
        for link in links(loops["first"]):
            self.read_loop(container(link, self.types.loop, "link"))
        self.find_threads()

    def read_loop(self, loop):
        self.loops.append(loop)
        for slot in stacks_of(loop, self.types):
            if int(slot[2]["use"]) == TASK:
                task = Task(loop, slot, self.types)
                self.tasks.append(task)
                self.by_address[int(task.task)] = task
            else:
                self.generators.append(Generator(loop, slot, self.types))
        ready = {int(node) for node in links(loop["ready"])}
        for task in self.tasks:
            if int(task.task["ready"].address) in ready:
                task.ready = True

    def find_threads(self):
        """Notes on which stack each thread is."""
        before = gdb.selected_thread(), gdb.selected_frame()
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            flow = self.flow_at(gdb.newest_frame().read_register("sp"))
            if flow:
                flow.thread = thread
                self.lend(flow, thread)
        before[0].switch()
        before[1].select()

    def lend(self, flow, thread):
        """A generator's body runs in the task that asked for its next value."""
        for _ in self.generators:
            if isinstance(flow, Task):
                break
            flow = self.flow_at(flow.head["caller"]["sp"])
            if flow:
                flow.thread = thread

    def flow_at(self, address):
        for flow in itertools.chain(self.tasks, self.generators):
            if flow.holds(address):
                return flow
        return None

    def task_at(self, pointer):
        return self.by_address.get(int(pointer))

    def named(self, name):
        found = [t for t in self.tasks if name in (t.name, t.id, str(t.number), t.function)]
        if not found:
            raise gdb.GdbError(f"eddy: no task {name}; see `eddy tasks`")
        return found


class ParkedUnwinder(Unwinder):
    """While it is enabled, a saved context is the caller of the innermost frame."""

    class Id:
        def __init__(self, sp, pc):
            self.sp, self.pc = sp, pc

    def __init__(self):
        super().__init__("eddy")
        self.enabled = False

    def show(self, context):
        """A context of this manager: frames are those of the saved context."""
        self.registers = Registers()
        frame = gdb.newest_frame()
        self.real = [int(frame.read_register(r)) for r in (self.registers.sp, self.registers.pc)]
        self.context = context

    def is_real(self, frame):
        return [int(frame.read_register(r)) for r in
                (self.registers.sp, self.registers.pc)] == self.real

    def __call__(self, pending):
        if not self.is_real(pending):
            return None
        context = self.context
        # lower than all frames to come, or gdb takes the stack for corrupt
        info = pending.create_unwind_info(self.Id(context["sp"] - 16, context["pc"]))
        info.add_saved_register(self.registers.sp, context["sp"])
        info.add_saved_register(self.registers.pc, context["pc"])
        info.add_saved_register(self.registers.fp, context["fp"])
        return info


class ParkedFilter:
    """Leaves the real frames out of a backtrace, and the 0 that ends every stack."""

    def __init__(self, unwinder):
        self.name, self.priority, self.enabled, self.unwinder = "eddy", 0, False, unwinder
        gdb.frame_filters[self.name] = self

    def filter(self, frames):
        parked = itertools.dropwhile(lambda f: self.unwinder.is_real(f.inferior_frame()), frames)
        return itertools.takewhile(lambda f: f.inferior_frame().pc() != 0, parked)


unwinder = ParkedUnwinder()
register_unwinder(None, unwinder, replace=True)
parked_filter = ParkedFilter(unwinder)


def print_context(context, options):
    """The backtrace of what stands at a saved context."""
    before = gdb.selected_frame()
    unwinder.show(context)
    unwinder.enabled = parked_filter.enabled = True
    gdb.invalidate_cached_frames()
    try:
        gdb.newest_frame().select()
        gdb.execute(f"backtrace {options}")
    finally:
        unwinder.enabled = parked_filter.enabled = False
        gdb.invalidate_cached_frames()
        before.select()


def print_running(task, options):
    before = gdb.selected_thread(), gdb.selected_frame()
    task.thread.switch()
    try:
        gdb.execute(f"backtrace {options}")
    finally:
        before[0].switch()
        before[1].select()


def print_task(process, task, options):
    print(task.line(process))
    if task.runs() and task.thread:
        print_running(task, options)
    elif not task.ended() and not task.runs() and task.started():
        print_context(task.context(), options)
    else:
        return
    # in the body of a generator: then who asked for its value, and so on
    flow = process.flow_at(gdb.newest_frame().read_register("sp") if task.runs()
                           else task.context()["sp"])
    for _ in process.generators:
        if not isinstance(flow, Generator):
            break
        print(f"inside {flow.line()}; asked for by")
        print_context(flow.head["caller"], options)
        flow = process.flow_at(flow.head["caller"]["sp"])


class EddyCommand(gdb.Command):
    """Eddy's tasks: `eddy tasks`, `eddy bt TASK`, `eddy gcore`."""

    def __init__(self):
        super().__init__("eddy", gdb.COMMAND_STACK, prefix=True)


class TasksCommand(gdb.Command):
    """Lists the tasks and generators of all loops of the process.

Each with its name, its function, where it was created, and what it does: it runs, is ready, or
waits, for what, and who holds that. Generators that are in use come last."""

    def __init__(self):
        super().__init__("eddy tasks", gdb.COMMAND_STACK)

    def invoke(self, _argument, _from_tty):
        process = Process()
        for number, loop in enumerate(process.loops, 1):
            tasks = [t for t in process.tasks if t.loop == loop]
            print(f"loop {number}, {int(loop):#x}: {len(tasks)} task{'s'[:len(tasks) != 1]}")
            for task in sorted(tasks, key=lambda t: t.number):
                print(f"  {task.line(process)}")
            for generator in process.generators:
                if generator.loop == loop:
                    print(f"  {generator.line()}")
        if not process.loops:
            print("no loops")


class BacktraceCommand(gdb.Command):
    """Prints the backtrace of a task: eddy bt NAME [full], or of each: eddy bt all.

NAME is a name or number of `eddy tasks`, or a function: then of each task that runs it. What
follows is given to gdb's backtrace: `full` shows the local variables too."""

    def __init__(self):
        super().__init__("eddy bt", gdb.COMMAND_STACK)

    def invoke(self, argument, _from_tty):
        words = gdb.string_to_argv(argument)
        if not words:
            raise gdb.GdbError("eddy bt: which task? A name, number, function, or all")
        process = Process()
        everybody = sorted(process.tasks, key=lambda t: t.number)
        tasks = everybody if words[0] == "all" else process.named(words[0])
        for task in tasks:
            print_task(process, task, " ".join(words[1:]))
            if task is not tasks[-1]:
                print()

    def complete(self, _text, _word):
        return ["all"] + [task.name for task in Process().tasks]


class GcoreCommand(gdb.Command):
    """Writes a core file, as gcore does, with the stacks of the tasks in it: eddy gcore [FILE].

gdb's own gcore gives a mapping up at its first guard page, which it cannot read, so the stacks
would be missing. The kernel's core files are complete."""

    def __init__(self):
        super().__init__("eddy gcore", gdb.COMMAND_FILES, gdb.COMPLETE_FILENAME)

    def invoke(self, argument, _from_tty):
        process = Process()
        name = argument.strip() or f"core.{gdb.selected_inferior().pid}"
        gdb.execute(f"gcore {name}")
        with open(name, "r+b") as file:
            segments = list(self.segments(file))
            for low, high in self.pieces(process):
                for start, end, offset in segments:
                    if start <= low < end:
                        file.seek(offset + low - start)
                        file.write(gdb.selected_inferior().read_memory(low, high - low))
        print(f"with the stacks of {len(process.tasks)} tasks")

    @staticmethod
    def segments(file):
        """Yields (start, end, offset in the file) of each mapping of the core."""
        header = file.read(64)
        start, = struct.unpack_from("<Q", header, 32)
        size, count = struct.unpack_from("<HH", header, 54)
        file.seek(start)
        for entry in struct.iter_unpack(f"<IIQQQQQ{size - 48}x", file.read(size * count)):
            kind, _, offset, address, _, length, _ = entry
            if kind == 1:  # PT_LOAD
                yield address, address + length, offset

    @staticmethod
    def pieces(process):
        """Yields the part of each stack that is in use: from the lowest saved stack pointer."""
        flows = process.tasks + process.generators
        pointers = [int(context["sp"]) for flow in flows for context in flow.contexts()]
        before = gdb.selected_thread(), gdb.selected_frame()
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            pointers.append(int(gdb.newest_frame().read_register("sp")))
        before[0].switch()
        before[1].select()
        for flow in flows:
            mine = [p for p in pointers if flow.holds(p)] + [flow.address()]
            yield (min(mine) - 128) & ~4095, flow.end


for command in (EddyCommand, TasksCommand, BacktraceCommand, GcoreCommand):
    command()
