/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include "../base/clock.h"

/* The events that came; 0 when the time is up. */
static short wait_for(PGconn *conn, short events, apr_time_t deadline)
{
    struct pollfd fd = {.fd = PQsocket(conn), .events = events};

    for (;;) {
        apr_interval_time_t left = deadline - oas_clock();
        int n;

        if (left <= 0)
            return 0;
        n = poll(&fd, 1, (int)(left / 1000) + 1);
        if (n > 0)
            return fd.revents;
        if (n < 0 && errno != EINTR)
            return POLLERR;
    }
}

apr_status_t oas_wire_wait(PGconn *conn, apr_time_t deadline)
{
    int unsent = PQflush(conn);

    while (unsent > 0 || PQisBusy(conn)) {
        short events;

        if (PQsocket(conn) < 0)
            return APR_SUCCESS;
        events = wait_for(conn, unsent > 0 ? POLLIN | POLLOUT : POLLIN, deadline);
        if (!events)
            return APR_TIMEUP;
        if ((events & ~POLLOUT) && !PQconsumeInput(conn))
            return APR_SUCCESS;
        if (unsent > 0)
            unsent = PQflush(conn);
    }
    return APR_SUCCESS;
}

apr_status_t oas_wire_collect(PGconn *conn, apr_time_t deadline, PGresult **out)
{
    PGresult *result;

    *out = NULL;
    for (;;) {
        if (oas_wire_wait(conn, deadline) != APR_SUCCESS) {
            PQclear(*out);
            *out = NULL;
            oas_wire_abandon(conn);
            return APR_TIMEUP;
        }
        result = PQgetResult(conn);
        if (!result)
            return APR_SUCCESS;
        PQclear(*out);
        *out = result;
    }
}

void oas_wire_abandon(PGconn *conn)
{
    PGresult *result;

    if (PQsocket(conn) >= 0)
        shutdown(PQsocket(conn), SHUT_RDWR);
    /* both ends of the socket are shut, so none of this can wait */
    while (PQstatus(conn) == CONNECTION_OK && PQconsumeInput(conn))
        ;
    while ((result = PQgetResult(conn)) != NULL)
        PQclear(result);
}

int oas_wire_good(PGconn *conn)
{
    int i;

    /* the first read brings the server's last words only, the next one the end of the stream */
    for (i = 0; i < 4 && PQstatus(conn) == CONNECTION_OK; i++) {
        struct pollfd fd = {.fd = PQsocket(conn), .events = POLLIN};

        if (poll(&fd, 1, 0) <= 0)
            break;
        PQconsumeInput(conn);
    }
    return PQstatus(conn) == CONNECTION_OK;
}
