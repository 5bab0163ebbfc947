// SPDX-License-Identifier: MIT
// Uses the installed library from C++, by its function API: a producer and a consumer under a
// time limit. Exceptions are the program's own affair as long as none leaves a task.
#include <eddy.h>

#include <cstdio>
#include <cstring>
#include <stdexcept>

struct Args {
    eddy_queue *queue;
    int count;
};

static int produce(void *memory, void *)
{
    Args args = *static_cast<Args *>(memory);

    for (int i = 1; i <= args.count; i++) {
        int rc = eddy_queue_put_item(args.queue, &i, sizeof i);
        if (rc < 0)
            return rc;
    }
    eddy_queue_shutdown(args.queue, false);
    return 0;
}

static int consume(void *memory, void *result)
{
    Args args = *static_cast<Args *>(memory);
    int item, sum = 0, rc;

    while ((rc = eddy_queue_get_item(args.queue, &item, sizeof item)) == 0) {
        try {
            if (item == 3)
                throw std::runtime_error("three");
            sum += item;
        } catch (const std::runtime_error &) {
            sum += 3; // nothing suspends in here: the runtime counts caught exceptions by thread
        }
    }
    std::memcpy(result, &sum, sizeof sum);
    return rc == -ESHUTDOWN ? 0 : rc;
}

static int amain(void *, void *)
{
    eddy_queue queue;
    eddy_timeout limit;
    int sum = 0;

    eddy_queue_init(&queue, sizeof(int), 2);
    eddy_timeout_enter(&limit, 5, "hello.cc");
    Args args = {&queue, 10};
    eddy_task *producer = eddy_task_create(produce, &args, sizeof args, 0, nullptr);
    eddy_task *consumer = eddy_task_create(consume, &args, sizeof args, sizeof sum, nullptr);
    int rc = eddy_task_await(consumer, &sum, sizeof sum);
    eddy_task_release(&producer);
    eddy_task_release(&consumer);
    eddy_timeout_exit(&limit);
    eddy_queue_deinit(&queue);
    std::printf("eddy %s adds up to %d\n", eddy_version(), sum);
    return rc < 0 ? rc : sum == 55 ? 0 : 1;
}

int main()
{
    static const eddy_async function = {amain, "amain", nullptr, 0, 0};
    eddy_call call = {};

    call.function = &function;
    call.where = "hello.cc";
    return eddy_run_call(call) == 0 ? 0 : 1;
}
