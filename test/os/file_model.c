/* SPDX-License-Identifier: MIT */
/*
 * Files against a model: random operations on a file, and on an array of bytes with a position.
 * Every result must be the model's, and the file's content at the end, on each way, with and
 * without a write buffer, and under short transfers; and of a file that is spooled (F-43), whose
 * rolling over now and then fails.
 */
#include <stdlib.h>

#include "base/fault.h"
#include "eddy/tempfile.h"
#include "os/files.h"
#include "seeds.h"

#define MODEL_ROOM (1 << 19)
#define MODEL_STEPS 40
#define MODEL_LARGEST 100000

static struct {
    char bytes[MODEL_ROOM];
    int64_t size, position;
    bool appends;
} model;

static char data[MODEL_LARGEST + 1], back[MODEL_LARGEST + 1];
static uint64_t program;

#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (condition)                                                                             \
            break;                                                                                 \
        if (test_is_cancelled())                                                                   \
            return;                                                                                \
        test_fail(__FILE__, __LINE__, "EDDY_TEST_SEED=%llu: %s", (unsigned long long)program,      \
                  #condition);                                                                     \
    } while (0)

static int64_t model_read(char *to, int64_t size, int64_t offset)
{
    int64_t left = offset < model.size ? model.size - offset : 0;

    size = size < left ? size : left;
    memcpy(to, model.bytes + offset, (size_t)size);
    return size;
}

/* A hole before it is zeros. */
static int64_t model_write(const char *from, int64_t size, int64_t offset)
{
    if (model.appends)
        offset = model.size;
    if (offset > model.size && size > 0)
        memset(model.bytes + model.size, 0, (size_t)(offset - model.size));
    memcpy(model.bytes + offset, from, (size_t)size);
    if (size > 0 && offset + size > model.size)
        model.size = offset + size;
    return offset + size;
}

static int random_size(void)
{
    static const int limits[] = {5, 100, 5000, MODEL_LARGEST};

    return random_below(limits[random_below(4)]);
}

static void random_fill(int size)
{
    for (int i = 0; i < size; i++)
        data[i] = (char)(random_below(12) == 0 ? '\n' : 'a' + random_below(26));
}

/* Reads, of each kind. */
static void step_read(eddy_stream *file)
{
    int size = random_size() + 1, expected;
    ssize_t n = 0;
    int rc;

    switch (random_below(3)) {
    case 0:
        n = eddy_read(file, back, (size_t)size);
        HOLDS(n >= 0 && n <= size);
        HOLDS(model_read(data, n, model.position) == n);
        HOLDS(n > 0 || model.position >= model.size);
        break;
    case 1:
        rc = eddy_read_exactly(file, back, (size_t)size);
        expected = (int)model_read(data, size, model.position);
        HOLDS(rc == (expected == size ? 0 : EDDY_EINCOMPLETE));
        n = expected;
        break;
    default:
        n = eddy_read_line(file, back, (size_t)size + 1);
        expected = (int)model_read(data, size, model.position);
        data[expected] = '\0';
        if (memchr(data, '\n', (size_t)expected))
            expected = (int)((char *)memchr(data, '\n', (size_t)expected) - data) + 1;
        else if (expected == size && model.position + size < model.size)
            expected = EDDY_ELIMIT;
        HOLDS(n == expected);
        n = n < 0 ? 0 : n;
    }
    HOLDS(memcmp(data, back, (size_t)n) == 0);
    model.position += n;
}

static void step_write(eddy_stream *file)
{
    int size = random_size(), rc;
    int64_t offset;

    random_fill(size);
    if (model.size + size >= MODEL_ROOM || model.position + size >= MODEL_ROOM)
        return;
    switch (random_below(4)) {
    case 0:
        offset = random_below((int)model.size + 10);
        HOLDS(eddy_pwrite(file, data, (size_t)size, offset) == 0);
        (void)model_write(data, size, offset);
        return;
    case 1:
        rc = eddy_write_nowait(file, data, (size_t)size);
        if (rc == -EAGAIN)
            return; /* too much is gathered already */
        HOLDS(rc == 0);
        break;
    default: HOLDS(eddy_write(file, data, (size_t)size) == 0);
    }
    if (size > 0)
        model.position = model_write(data, size, model.position);
}

static void step_move(eddy_stream *file)
{
    int64_t to = random_below((int)model.size + 100);

    switch (random_below(3)) {
    case 0: HOLDS(eddy_seek(file, to, SEEK_SET) == to); break;
    case 1: HOLDS(eddy_seek(file, to - model.position, SEEK_CUR) == to); break;
    default: HOLDS(eddy_seek(file, to - model.size, SEEK_END) == to);
    }
    model.position = to;
}

static void step_truncate(eddy_stream *file)
{
    int64_t to = random_below((int)model.size + 100);

    HOLDS(eddy_truncate(file, to) == 0);
    if (to > model.size)
        memset(model.bytes + model.size, 0, (size_t)(to - model.size));
    model.size = to;
}

static void step_pread(eddy_stream *file)
{
    int size = random_size();
    int64_t offset = random_below((int)model.size + 100);
    ssize_t expected = model_read(data, size, offset);

    HOLDS(eddy_pread(file, back, (size_t)size, offset) == expected);
    HOLDS(memcmp(data, back, (size_t)expected) == 0);
}

static void step(eddy_stream *file)
{
    static const int codes[] = {ED_FAULT_SHORT, ED_FAULT_SHORT};

    if (random_below(4) == 0) {
        (void)ed_fault_set(ED_FAULT_WRITE, 1, codes[0]);
        (void)ed_fault_set(ED_FAULT_READ, 1, codes[1]);
    }
    switch (random_below(10)) {
    case 0:
    case 1:
    case 2: step_read(file); break;
    case 3:
    case 4:
    case 5: step_write(file); break;
    case 6:
    case 7: step_move(file); break;
    case 8: step_truncate(file); break;
    default: step_pread(file); break;
    }
    (void)ed_fault_set(ED_FAULT_WRITE, 0, 0);
    (void)ed_fault_set(ED_FAULT_READ, 0, 0);
    HOLDS(model.appends || eddy_tell(file) == model.position);
    if (model.appends) { /* gathered bytes are not there yet */
        HOLDS(eddy_flush(file) == 0);
        HOLDS(eddy_tell(file) == model.position);
    }
}

static void run_program(uint64_t seed)
{
    EDDY_STREAM file = NULL;
    eddy_open_options options = {0};
    char *content;

    program = seed;
    random_begin(seed);
    files_go(random_below(WAYS));
    model.size = model.position = 0;
    model.appends = random_below(4) == 0;
    options.write_buffer = random_below(2) ? (size_t)random_below(20000) : 0;
    (void)unlink(files_path("file"));
    HOLDS(eddy_open_with(files_path("file"), model.appends ? "a+" : "w+", &options, &file) == 0);
    for (int i = 0; i < MODEL_STEPS && !test_is_cancelled(); i++)
        step(file);
    HOLDS(eddy_stream_close(&file) == 0);
    HOLDS((int64_t)files_get_bytes("file", &content) == model.size);
    HOLDS(memcmp(content, model.bytes, (size_t)model.size) == 0);
}

/* A step that was to roll it over and failed has done nothing, and is not done again. */
static void run_spooled(uint64_t seed)
{
    EDDY_STREAM file = NULL;
    eddy_temporary_options options = {.dir = files_directory};

    program = seed;
    random_begin(seed);
    files_go(random_below(WAYS));
    model.size = model.position = 0;
    model.appends = false;
    HOLDS(eddy_spooled_temporary_file((size_t)random_below(MODEL_LARGEST), &options, &file) == 0);
    for (int i = 0; i < MODEL_STEPS && !test_is_cancelled(); i++) {
        if (!eddy_is_rolled_over(file) && random_below(8) == 0) {
            (void)ed_fault_set(ED_FAULT_OPENAT, 1, -EMFILE);
            HOLDS(eddy_rollover(file) == -EMFILE);
            (void)ed_fault_set(ED_FAULT_OPENAT, 0, 0);
        }
        step(file);
    }
    HOLDS(eddy_seek(file, 0, SEEK_END) == model.size);
    for (int64_t at = 0; at < model.size; at += MODEL_LARGEST) {
        ssize_t n = eddy_pread(file, back, MODEL_LARGEST, at);

        HOLDS(n == model_read(data, MODEL_LARGEST, at));
        HOLDS(memcmp(back, data, (size_t)n) == 0);
    }
}

TEST(spooled_file_does_what_its_model_does)
{
    FILES();
    seeds_run(run_spooled, 100);
}

TEST(file_does_what_its_model_does)
{
    files_begin(access("/dev/shm", W_OK) == 0 && random_below(2) ? "/dev/shm" : "/tmp");
    EDDY_DEFER(files_end, NULL);

    seeds_run(run_program, 100);
}
