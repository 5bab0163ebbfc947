/* SPDX-License-Identifier: MIT */
/* The types of files by their names. */
#ifndef ED_HTTP_MEDIA_TYPE_H
#define ED_HTTP_MEDIA_TYPE_H

/* What Content-Type says of a file, by the ending of its name, without regard to case; texts are
 * UTF-8. "application/octet-stream" for any other. Static text. */
const char *ed_media_type(const char *path);

#endif
