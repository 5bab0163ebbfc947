/* SPDX-License-Identifier: MIT */
/* Datagram endpoints of tests, closed at the end of their block, and tasks that use them. */
#ifndef DATAGRAMS_H
#define DATAGRAMS_H

#include "harness.h"

/* An endpoint at a free port of the loopback that takes from anybody. */
static inline eddy_datagram *datagram_somewhere(void)
{
    eddy_datagram *datagram = NULL;

    /* a cancelled run goes on with NULL */
    if (eddy_datagram_open("udp://127.0.0.1:0", NULL, &datagram) < 0 && !test_is_cancelled())
        test_fail(__FILE__, __LINE__, "eddy_datagram_open: %s", eddy_error_message(-EADDRINUSE));
    return datagram;
}

#define UDP(name)                                                                                  \
    EDDY_DATAGRAM name = datagram_somewhere();                                                     \
    CHECK(name)

/* A connected endpoint whose peer is `other`. */
static inline int datagram_connect(const eddy_datagram *other, eddy_datagram **out)
{
    char place[EDDY_ADDRESS_TEXT + 8], text[EDDY_ADDRESS_TEXT];

    snprintf(place, sizeof place, "udp://%s",
             eddy_address_text(eddy_datagram_local(other), text, sizeof text));
    return eddy_datagram_open(NULL, place, out);
}

#endif
