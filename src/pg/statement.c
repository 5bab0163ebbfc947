/* SPDX-License-Identifier: MIT */
/*
 * The cache of prepared statements.
 *
 * A statement is found by its text: in a table with chains, and in a list by order of use. It lives
 * while somebody refers to it, and the cache is one of those. When the last one lets go of a
 * statement that the server knows it goes to the list of those to be closed, with its name, and out
 * of memory when the server has closed it: which is asked with the next operation, outside of
 * transactions (prepare.c). Names are given once in the life of a connection, so that what an
 * abandoned call has prepared never meets another statement.
 */
#include "pg/statement.h"

#include <stdio.h>
#include <string.h>

#include "eddy/task.h"
#include "pg/session.h"

#define STATEMENTS 100       /* that are kept (P-PREP-1) */
#define STATEMENT_SIZE 15360 /* of the longest text that is kept */
#define STATEMENT_LIFETIME 300
#define STATEMENT_BUCKETS 4096 /* at most */

/* The cache -------------------------------------------------------------------------------- */

/* Eight bytes at a time: the text is the program's own, and chains are as long as the cache at
 * most. */
static uint32_t text_hash(const char *text, size_t size)
{
    uint64_t hash = size * 0x9e3779b97f4a7c15u, word = 0;

    for (; size >= sizeof word; size -= sizeof word, text += sizeof word) {
        memcpy(&word, text, sizeof word);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    word = 0;
    memcpy(&word, text, size);
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(hash >> 32);
}

static struct pg_statement **statement_bucket(struct pg_statements *statements, uint32_t hash)
{
    return &statements->buckets[hash & (statements->bucket_count - 1)];
}

static struct pg_statements *statements_new(eddy_pg_connection *connection)
{
    const eddy_pg_options *options = pg_connection_options(connection);
    struct pg_statements *statements = eddy_alloc_(sizeof *statements);
    size_t buckets = 16;

    if (!statements)
        return NULL;
    statements->connection = connection;
    statements->generation = pg_connection_generation(connection);
    statements->most = options->statement_cache ? options->statement_cache : STATEMENTS;
    statements->most_size =
        options->statement_cache_size ? options->statement_cache_size : STATEMENT_SIZE;
    statements->lifetime = options->statement_cache_lifetime > 0 ? options->statement_cache_lifetime
                                                                 : STATEMENT_LIFETIME;
    if (statements->most == SIZE_MAX)
        statements->most = 0;
    while (buckets < statements->most && buckets < STATEMENT_BUCKETS)
        buckets *= 2;
    statements->bucket_count = buckets;
    statements->buckets = eddy_alloc_(buckets * sizeof(struct pg_statement *));
    if (!statements->buckets) {
        eddy_free(statements);
        return NULL;
    }
    return statements;
}

struct pg_statements *pg_statements_of(eddy_pg_connection *connection)
{
    struct pg_statements **place = pg_connection_statements(connection);

    if (ed_unlikely(!*place))
        *place = statements_new(connection);
    if (*place && ed_unlikely((*place)->generation != pg_connection_generation(connection)))
        pg_session_end(*place);
    return *place;
}

void pg_statement_free(struct pg_statement *statement)
{
    PQclear(statement->error);
    eddy_free(statement->description);
    eddy_free(statement);
}

/* Nobody refers to it. */
static void statement_drop(struct pg_statement *statement)
{
    if (statement->cache && statement->known)
        ed_list_append(&statement->cache->closing, &statement->link);
    else
        pg_statement_free(statement);
}

void pg_statement_unref(struct pg_statement *statement)
{
    if (statement && --statement->references == 0)
        statement_drop(statement);
}

void pg_statement_forget(struct pg_statement *statement)
{
    struct pg_statement **place;

    if (!statement->cached)
        return;
    place = statement_bucket(statement->cache, statement->hash);
    while (*place != statement)
        place = &(*place)->next;
    *place = statement->next;
    ed_list_remove(&statement->cache->used, &statement->link);
    statement->cache->count--;
    statement->cached = false;
    pg_statement_unref(statement);
}

static bool statement_expired(const struct pg_statement *statement, double now)
{
    return statement->state == PG_STATEMENT_READY &&
           now - statement->prepared >= statement->cache->lifetime;
}

static struct pg_statement *statement_of_link(struct eddy_link_ *link)
{
    return ed_container_of(link, struct pg_statement, link);
}

struct pg_statement *
pg_statement_find(struct pg_statements *statements, const char *sql, double now)
{
    size_t size = strlen(sql);
    uint32_t hash = text_hash(sql, size);
    struct pg_statement *found;

    if (statements->used.first && statement_expired(statement_of_link(statements->used.first), now))
        pg_statement_forget(statement_of_link(statements->used.first));
    found = *statement_bucket(statements, hash);
    while (found && (found->hash != hash || found->size != size || memcmp(found->sql, sql, size)))
        found = found->next;
    if (!found)
        return NULL;
    if (statement_expired(found, now)) {
        pg_statement_forget(found);
        return NULL;
    }
    if (statements->used.last != &found->link) {
        ed_list_remove(&statements->used, &found->link);
        ed_list_append(&statements->used, &found->link);
    }
    found->references++;
    return found;
}

struct pg_statement *pg_statement_new(struct pg_statements *statements, const char *sql, bool named)
{
    size_t size = strlen(sql);
    struct pg_statement *statement = eddy_alloc_(sizeof *statement + size + 1);

    if (!statement)
        return NULL;
    memcpy(statement->sql, sql, size + 1);
    statement->size = size;
    statement->hash = text_hash(sql, size);
    statement->cache = statements;
    statement->references = 1;
    if (named || (statements->most && size <= statements->most_size))
        snprintf(statement->name, sizeof statement->name, "eddy_%llu",
                 (unsigned long long)++statements->named);
    return statement;
}

void pg_statement_keep(struct pg_statement *statement)
{
    struct pg_statements *statements = statement->cache;
    struct pg_statement **bucket;

    if (statement->cached || !statements->most || statement->size > statements->most_size)
        return;
    if (statements->count >= statements->most)
        pg_statement_forget(statement_of_link(statements->used.first));
    bucket = statement_bucket(statements, statement->hash);
    statement->next = *bucket;
    *bucket = statement;
    ed_list_append(&statements->used, &statement->link);
    statements->count++;
    statement->cached = true;
    statement->references++;
}

void pg_statements_forget(eddy_pg_connection *connection)
{
    struct pg_statements *statements = *pg_connection_statements(connection);

    while (statements && !ed_list_empty(&statements->used))
        pg_statement_forget(statement_of_link(statements->used.first));
}

/* The server has closed all by itself. */
static void statements_gone(struct pg_statements *statements)
{
    struct eddy_link_ *link;

    for (link = statements->used.first; link; link = link->next)
        statement_of_link(link)->known = false;
    pg_statements_forget(statements->connection);
    while ((link = ed_list_pop(&statements->closing)))
        pg_statement_free(statement_of_link(link));
}

void pg_statements_note_tag(struct pg_statements *statements, const char *tag)
{
    size_t size = strnlen(tag, sizeof statements->tag - 1);

    memcpy(statements->tag, tag, size);
    statements->tag[size] = '\0';
    if (ed_unlikely(strcmp(tag, "DISCARD ALL") == 0 || strcmp(tag, "DEALLOCATE ALL") == 0))
        statements_gone(statements);
}

void pg_statements_note_ready(struct pg_statements *statements)
{
    PGTransactionStatusType status =
        PQtransactionStatus(pg_connection_libpq(statements->connection));

    if (status == PQTRANS_IDLE || status == PQTRANS_UNKNOWN)
        statements->transaction++;
}

void pg_statements_free(struct pg_statements *statements)
{
    struct eddy_link_ *link;

    if (!statements)
        return;
    pg_session_end(statements);
    for (link = statements->used.first; link; link = link->next)
        statement_of_link(link)->known = false;
    while (!ed_list_empty(&statements->used))
        pg_statement_forget(statement_of_link(statements->used.first));
    while ((link = ed_list_pop(&statements->closing)))
        pg_statement_free(statement_of_link(link));
    pg_parameters_free(&statements->room);
    eddy_free(statements->buckets);
    eddy_free(statements);
}
