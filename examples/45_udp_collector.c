/* SPDX-License-Identifier: MIT */
/*
 * A collector of many sensors. Each measures now and then and sends its reading in a datagram;
 * the collector takes all that have come at once, whatever their number.
 */
#include <eddy.h>
#include <stdio.h>

enum { SENSORS = 100, READINGS = 10 };

static int sensor(int number, const eddy_address *collector)
{
    EDDY_DATAGRAM radio = NULL;
    EDDY_TRY(eddy_datagram_open("udp://127.0.0.1:0", NULL, &radio));

    for (int i = 0; i < READINGS; i++) {
        double celsius = 18 + number % 5 + 0.5 * i;

        EDDY_TRY(eddy_sleep(0.01 * (1 + number % 7)));
        EDDY_TRY(eddy_datagram_send_to(radio, &celsius, sizeof celsius, collector));
    }
    return 0;
}
EDDY_ASYNC(sensor, int, const eddy_address *);

static int collect(eddy_datagram *collector)
{
    double celsius[EDDY_DATAGRAM_BATCH], sum = 0;
    eddy_datagram_message batch[EDDY_DATAGRAM_BATCH];
    int total = 0;

    for (int i = 0; i < EDDY_DATAGRAM_BATCH; i++)
        batch[i] = (eddy_datagram_message){.data = &celsius[i], .size = sizeof celsius[i]};
    while (total < SENSORS * READINGS) {
        ssize_t count = eddy_datagram_receive_many(collector, batch, EDDY_DATAGRAM_BATCH);

        EDDY_TRY(count);
        for (ssize_t i = 0; i < count; i++)
            sum += celsius[i];
        total += (int)count;
    }
    printf("%d readings, %.2f degrees on average\n", total, sum / total);
    return 0;
}

static int amain(void)
{
    EDDY_DATAGRAM collector = NULL;
    EDDY_TRY(eddy_datagram_open("udp://127.0.0.1:0", NULL, &collector));
    EDDY_GROUP(sensors);

    printf("%d sensors report\n", SENSORS);
    for (int i = 0; i < SENSORS; i++)
        EDDY_TRY(eddy_group_create_task(&sensors, sensor, i, eddy_datagram_local(collector)));
    EDDY_TRY(collect(collector));
    return eddy_group_join(&sensors);
}
EDDY_ASYNC(amain);
EDDY_MAIN(amain)
