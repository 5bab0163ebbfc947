/* SPDX-License-Identifier: MIT */
/* Eddy, asyncio for C. Everything of libeddy; each header also stands alone. */
#ifndef EDDY_H
#define EDDY_H

#include "eddy/address.h"      /* eddy_address */
#include "eddy/call.h"         /* EDDY_ASYNC, EDDY_CALL */
#include "eddy/compat.h"       /* attributes */
#include "eddy/datagram.h"     /* eddy_datagram */
#include "eddy/debug.h"        /* eddy_dump_tasks */
#include "eddy/directory.h"    /* eddy_makedirs, eddy_rmtree, eddy_scandir, eddy_walk */
#include "eddy/dns.h"          /* eddy_getaddrinfo */
#include "eddy/error.h"        /* EDDY_TRY, eddy_raise */
#include "eddy/executor.h"     /* eddy_to_thread */
#include "eddy/exit_stack.h"   /* EDDY_EXIT_STACK */
#include "eddy/file.h"         /* eddy_open */
#include "eddy/filesystem.h"   /* eddy_stat, eddy_rename, eddy_replace_file */
#include "eddy/future.h"       /* eddy_future */
#include "eddy/generator.h"    /* eddy_yield, EDDY_FOR_EACH */
#include "eddy/group.h"        /* EDDY_GROUP, eddy_gather */
#include "eddy/line.h"         /* eddy_read_line, eddy_lines */
#include "eddy/local.h"        /* task-local values */
#include "eddy/loop.h"         /* eddy_loop */
#include "eddy/net.h"          /* eddy_connect, eddy_start_server */
#include "eddy/process.h"      /* eddy_process */
#include "eddy/process_pool.h" /* eddy_to_process */
#include "eddy/queue.h"        /* EDDY_QUEUE */
#include "eddy/run.h"          /* eddy_run, EDDY_MAIN */
#include "eddy/scope.h"        /* EDDY_TIMEOUT, EDDY_SHIELD, EDDY_DEFER */
#include "eddy/signal.h"       /* EDDY_STOP_ON_SIGNALS, EDDY_SIGNALS */
#include "eddy/sock.h"         /* sockets of one's own */
#include "eddy/stdio.h"        /* eddy_stdin, eddy_stdout */
#include "eddy/stream.h"       /* eddy_read, eddy_write */
#include "eddy/sync.h"         /* lock, event, condition, semaphore, barrier */
#include "eddy/task.h"         /* eddy_create_task, eddy_await, eddy_sleep */
#include "eddy/tempfile.h"     /* EDDY_TEMPORARY */
#include "eddy/version.h"      /* EDDY_VERSION */
#include "eddy/wait.h"         /* eddy_wait, eddy_wait_for */
#include "eddy/watch.h"        /* eddy_watch */

#endif
