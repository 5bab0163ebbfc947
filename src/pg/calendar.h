/* SPDX-License-Identifier: MIT */
/*
 * Dates, times and points in time inside: their ranges, and their texts of any length.
 *
 * Scanners take the whole text: 0; -EINVAL for what is none of the forms that Eddy reads, of which
 * the server may know more; -ERANGE for a date or time that does not exist, or the type cannot
 * hold.
 */
#ifndef ED_PG_CALENDAR_H
#define ED_PG_CALENDAR_H

#include "eddy/pg_type.h"

#define PG_SECOND INT64_C(1000000)
#define PG_DAY (86400 * PG_SECOND)

/* What the server can hold: [4714-11-24 BC, 5874898-01-01), [4714-11-24 BC, 294277-01-01). */
#define PG_DATE_FIRST (-2451545)
#define PG_DATE_END 2145031949
#define PG_TIMESTAMP_FIRST INT64_C(-211813488000000000)
#define PG_TIMESTAMP_END INT64_C(9223371331200000000)

int pg_scan_date(const char *text, size_t size, eddy_pg_date *out);
/* *has_zone says whether there was one; else out->zone is 0. */
int pg_scan_time(const char *text, size_t size, eddy_pg_time *out, bool *has_zone);
/* With a zone the point is in UTC. */
int pg_scan_timestamp(const char *text, size_t size, eddy_pg_timestamp *out, bool *has_zone);
int pg_scan_interval(const char *text, size_t size, eddy_pg_interval *out);

#endif
