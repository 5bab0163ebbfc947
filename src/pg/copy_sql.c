/* SPDX-License-Identifier: MIT */
/*
 * The texts of COPY statements. COPY takes no parameters; so names are quoted as identifiers and
 * the values of options as literals, all of them by eddy/pg_connection.h's functions. What is not
 * quoted says so in its name: a query, and the condition of `where`.
 */
#include <string.h>

#include "pg/copy.h"
#include "pg/utf8.h"

int pg_copy_append(struct eddy_buffer_ *sql, const char *text)
{
    return ed_buffer_append(sql, text, strlen(text));
}

/* Appends what was quoted, if it was. */
static int append_quoted(struct eddy_buffer_ *sql, char *quoted, const char *text)
{
    int rc = -ENOMEM;

    if (quoted)
        rc = pg_copy_append(sql, quoted);
    else if (pg_utf8_check(text, strlen(text)) < strlen(text))
        rc = eddy_raise(-EINVAL, "a name or option of COPY is not UTF-8");
    eddy_free(quoted);
    return rc;
}

static int append_name(struct eddy_buffer_ *sql, const char *name)
{
    return append_quoted(sql, eddy_pg_quote_identifier(name), name);
}

static int append_literal(struct eddy_buffer_ *sql, const char *text)
{
    return append_quoted(sql, eddy_pg_quote_literal(text), text);
}

int pg_copy_sql_table(struct eddy_buffer_ *sql, const char *table, const char *schema)
{
    if (schema) {
        EDDY_TRY(append_name(sql, schema));
        EDDY_TRY(pg_copy_append(sql, "."));
    }
    return append_name(sql, table);
}

/* ("a", "b"); nothing for NULL. */
static int append_columns(struct eddy_buffer_ *sql, const char *const *columns)
{
    if (!columns)
        return 0;
    for (size_t i = 0; columns[i]; i++) {
        EDDY_TRY(pg_copy_append(sql, i ? ", " : " ("));
        EDDY_TRY(append_name(sql, columns[i]));
    }
    return columns[0] ? pg_copy_append(sql, ")") : 0;
}

/* Options --------------------------------------------------------------------------- */

/* The options as they are written, between parentheses. */
struct option_list {
    struct eddy_buffer_ *sql;
    size_t count;
};

static int option_begin(struct option_list *list, const char *name)
{
    EDDY_TRY(pg_copy_append(list->sql, list->count++ ? ", " : " WITH ("));
    return pg_copy_append(list->sql, name);
}

static int option_text(struct option_list *list, const char *name, const char *value)
{
    if (!value)
        return 0;
    EDDY_TRY(option_begin(list, name));
    EDDY_TRY(pg_copy_append(list->sql, " "));
    return append_literal(list->sql, value);
}

/* Columns by name; the one name "*": all of them. */
static int option_columns(struct option_list *list, const char *name, const char *const *columns)
{
    if (!columns || !columns[0])
        return 0;
    EDDY_TRY(option_begin(list, name));
    if (strcmp(columns[0], "*") == 0 && !columns[1])
        return pg_copy_append(list->sql, " *");
    return append_columns(list->sql, columns);
}

static int append_options(struct eddy_buffer_ *sql, const eddy_pg_copy_options *options)
{
    struct option_list list = {.sql = sql};

    EDDY_TRY(option_text(&list, "FORMAT", options->format));
    EDDY_TRY(option_text(&list, "DELIMITER", options->delimiter));
    EDDY_TRY(option_text(&list, "NULL", options->null));
    EDDY_TRY(option_text(&list, "QUOTE", options->quote));
    EDDY_TRY(option_text(&list, "ESCAPE", options->escape));
    EDDY_TRY(option_text(&list, "ENCODING", options->encoding));
    if (options->header)
        EDDY_TRY(option_begin(&list, "HEADER true"));
    EDDY_TRY(option_columns(&list, "FORCE_QUOTE", options->force_quote));
    EDDY_TRY(option_columns(&list, "FORCE_NOT_NULL", options->force_not_null));
    EDDY_TRY(option_columns(&list, "FORCE_NULL", options->force_null));
    return list.count ? pg_copy_append(sql, ")") : 0;
}

/* With the NUL behind. */
static int append_end(struct eddy_buffer_ *sql)
{
    return ed_buffer_append(sql, "", 1);
}

/* Statements ------------------------------------------------------------------------ */

static const eddy_pg_copy_options no_options;

static int copy_of_table(struct eddy_buffer_ *sql, const char *table,
                         const eddy_pg_copy_options *options, const char *way)
{
    EDDY_TRY(pg_copy_append(sql, "COPY "));
    EDDY_TRY(pg_copy_sql_table(sql, table, options->schema));
    EDDY_TRY(append_columns(sql, options->columns));
    EDDY_TRY(pg_copy_append(sql, way));
    return append_options(sql, options);
}

int pg_copy_sql_out(struct eddy_buffer_ *sql, const char *table,
                    const eddy_pg_copy_options *options)
{
    const eddy_pg_copy_options *chosen = options ? options : &no_options;

    if (chosen->where)
        return eddy_raise(-EINVAL, "COPY out of a table takes no condition: copy a query");
    EDDY_TRY(copy_of_table(sql, table, chosen, " TO STDOUT"));
    return append_end(sql);
}

/* The query may end with a comment. */
int pg_copy_sql_query(struct eddy_buffer_ *sql, const char *query,
                      const eddy_pg_copy_options *options)
{
    const eddy_pg_copy_options *chosen = options ? options : &no_options;

    if (chosen->where || chosen->schema || chosen->columns)
        return eddy_raise(-EINVAL, "COPY of a query takes no schema, columns or condition");
    EDDY_TRY(pg_copy_append(sql, "COPY ("));
    EDDY_TRY(pg_copy_append(sql, query));
    EDDY_TRY(pg_copy_append(sql, "\n) TO STDOUT"));
    EDDY_TRY(append_options(sql, chosen));
    return append_end(sql);
}

int pg_copy_sql_in(struct eddy_buffer_ *sql, const char *table, const eddy_pg_copy_options *options)
{
    const eddy_pg_copy_options *chosen = options ? options : &no_options;

    EDDY_TRY(copy_of_table(sql, table, chosen, " FROM STDIN"));
    if (chosen->where) {
        EDDY_TRY(pg_copy_append(sql, " WHERE "));
        EDDY_TRY(pg_copy_append(sql, chosen->where));
    }
    return append_end(sql);
}
