/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load driver that follows chains: each connection goes through the steps of a plan (plan.h) over
 * and over, one request at a time, and carries on with what it was answered. One thread, because it
 * shares the processors with what it measures. Each answer is looked at: a wrong one counts as an
 * error and ends its connection.
 *
 *   load --port N --plan FILE [--connections N] [--warm MS] [--time MS] [--usage NAME=PID]...
 * [--state FILE]
 *
 * --usage adds the processor time that a process and its children used while it was measured;
 * --state writes what the connections captured last, in lines for the next plan. Prints one JSON
 * object.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <apr_general.h>
#include <apr_getopt.h>
#include <apr_strings.h>
#include "measure.h"
#include "plan.h"

#define ANSWER_MAX      131072
#define CONNECTIONS_MAX 1024
#define USAGES_MAX      4
#define PATIENCE        30000 /* milliseconds that an answer may take */

typedef struct {
    int fd; /* -1: ended */
    int number;
    int step;
    int answers;               /* on this connection */
    int turn;                  /* in the ring */
    plan_request_t **requests; /* one for each step */
    apr_size_t sent, got, need;
    apr_uint64_t request_begun, round_begun;
    char *answer;
    char captured[PLAN_CAPTURE_LEN + 1]; /* last; empty: nothing yet */
} connection_t;

typedef struct {
    const char *name;
    long pid;
    apr_uint64_t begun, used;
} usage_t;

typedef struct {
    apr_pool_t *pool;
    const plan_t *plan;
    const char *captured;
    int port, count, open, epoll, measuring, draining;
    apr_uint64_t answered, reconnects, requests, rounds, errors, bytes, begun, took, own;
    const char *first_error;
    histogram_t by_request, by_round;
    connection_t *connections;
    usage_t usages[USAGES_MAX];
    int usage_count;
} load_t;

static void fail(load_t *load, connection_t *connection, const char *what)
{
    load->errors++;
    if (load->first_error == NULL) {
        load->first_error =
            apr_psprintf(load->pool, "connection %d, step %d: %s: %.*s", connection->number,
                         connection->step + 1, what, (int)connection->got, connection->answer);
    }
    close(connection->fd);
    connection->fd = -1;
    load->open--;
}

static int connect_one(load_t *load, connection_t *connection)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((unsigned short)load->port)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    int one = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->answers = 0;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        return 0;
    }
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) == 0;
}

static void send_request(load_t *load, connection_t *connection)
{
    const plan_request_t *request = connection->requests[connection->step];
    ssize_t sent = send(connection->fd, request->bytes + connection->sent,
                        request->len - connection->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent < 0 && errno != EAGAIN && errno != EPIPE && errno != ECONNRESET) {
        fail(load, connection, "cannot be sent");
        return;
    }
    connection->sent += sent > 0 ? (apr_size_t)sent : 0;
    if (connection->sent < request->len) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = connection};

        epoll_ctl(load->epoll, EPOLL_CTL_MOD, connection->fd, &event);
    }
}

static void begin_step(load_t *load, connection_t *connection)
{
    connection->sent = connection->got = connection->need = 0;
    connection->request_begun = measure_clock();
    if (connection->step == 0) {
        connection->round_begun = connection->request_begun;
    }
    send_request(load, connection);
}

static void use_value(load_t *load, connection_t *connection, const char *value)
{
    int i, j;

    for (i = 0; i < load->plan->steps->nelts; i++) {
        const plan_request_t *request = connection->requests[i];

        for (j = 0; j < request->places->nelts; j++) {
            memcpy(request->bytes + APR_ARRAY_IDX(request->places, j, apr_size_t), value,
                   PLAN_CAPTURE_LEN);
        }
    }
}

static int take_captured(load_t *load, connection_t *connection, const plan_step_t *step)
{
    const char *found = strstr(connection->answer, step->behind);

    if (found == NULL || strlen(found) < strlen(step->behind) + PLAN_CAPTURE_LEN) {
        return 0;
    }
    memcpy(connection->captured, found + strlen(step->behind), PLAN_CAPTURE_LEN);
    use_value(load, connection, connection->captured);
    return 1;
}

/* What was captured stays for this value's next turn. */
static void turn_ring(load_t *load, connection_t *connection)
{
    const apr_array_header_t *ring = load->plan->rings[connection->number];

    if (ring->nelts > 0 && connection->captured[0] != '\0') {
        memcpy(APR_ARRAY_IDX(ring, connection->turn, char *), connection->captured,
               PLAN_CAPTURE_LEN);
        connection->turn = (connection->turn + 1) % ring->nelts;
        use_value(load, connection, APR_ARRAY_IDX(ring, connection->turn, char *));
    }
}

/* Whether the answer is what the step expects. */
static const char *check_answer(load_t *load, connection_t *connection)
{
    const plan_step_t *step = &APR_ARRAY_IDX(load->plan->steps, connection->step, plan_step_t);
    const char *answer = connection->answer;

    if (strncmp(answer, "HTTP/1.1 ", 9) != 0 || strtol(answer + 9, NULL, 10) != step->status) {
        return "another status";
    }
    if (step->expected != NULL && strstr(answer, step->expected) == NULL) {
        return "not what was expected";
    }
    if (step->capture != NULL && !take_captured(load, connection, step)) {
        return "nothing to capture";
    }
    return NULL;
}

static void finish_step(load_t *load, connection_t *connection)
{
    const char *wrong = check_answer(load, connection);
    apr_uint64_t now = measure_clock();
    int last = connection->step + 1 == load->plan->steps->nelts;

    if (wrong != NULL) {
        fail(load, connection, wrong);
        return;
    }
    load->answered++;
    connection->answers++;
    if (load->measuring) {
        load->requests++;
        load->bytes += connection->got;
        histogram_add(&load->by_request, now - connection->request_begun);
        if (last) {
            load->rounds++;
            histogram_add(&load->by_round, now - connection->round_begun);
        }
    }
    if (last) {
        turn_ring(load, connection);
    }
    connection->step = last ? 0 : connection->step + 1;
    if (last && load->draining) {
        close(connection->fd);
        connection->fd = -1;
        load->open--;
        return;
    }
    begin_step(load, connection);
}

/* How long the answer is, once its headers are there. */
static int find_need(connection_t *connection)
{
    const char *end = strstr(connection->answer, "\r\n\r\n"), *length;

    if (end == NULL) {
        return 0;
    }
    length = strcasestr(connection->answer, "\r\nContent-Length:");
    connection->need = (apr_size_t)(end - connection->answer) + 4;
    if (length != NULL && length < end) {
        connection->need += (apr_size_t)strtoul(length + 17, NULL, 10);
    }
    return 1;
}

/* By the server. */
static void closed(load_t *load, connection_t *connection)
{
    if (connection->got > 0 || connection->answers == 0) {
        fail(load, connection, "the connection was closed");
        return;
    }
    close(connection->fd);
    load->reconnects++;
    connection->sent = 0;
    if (connect_one(load, connection)) {
        send_request(load, connection);
    } else {
        fail(load, connection, "nobody answers any more");
    }
}

static void receive(load_t *load, connection_t *connection)
{
    ssize_t got = recv(connection->fd, connection->answer + connection->got,
                       ANSWER_MAX - 1 - connection->got, 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        closed(load, connection);
        return;
    }
    connection->got += (apr_size_t)got;
    connection->answer[connection->got] = '\0';
    if ((connection->need == 0 && !find_need(connection)) || connection->got < connection->need) {
        if (connection->got == ANSWER_MAX - 1) {
            fail(load, connection, "the answer is too long");
        }
        return;
    }
    finish_step(load, connection);
}

static const char *prepare(load_t *load, connection_t *connection)
{
    int i, steps = load->plan->steps->nelts;

    connection->answer = apr_palloc(load->pool, ANSWER_MAX);
    connection->answer[0] = '\0';
    connection->requests = apr_pcalloc(load->pool, (apr_size_t)steps * sizeof(plan_request_t *));
    for (i = 0; i < steps; i++) {
        connection->requests[i] =
            plan_request(load->plan, i, connection->number, load->captured, load->pool);
        if (connection->requests[i] == NULL) {
            return "the plan lacks a value";
        }
    }
    load->open++;
    return connect_one(load, connection) ? NULL : "nobody answers at the port";
}

static void serve(load_t *load, const struct epoll_event *event)
{
    connection_t *connection = event->data.ptr;

    if (connection->fd >= 0 && (event->events & EPOLLOUT) != 0) {
        struct epoll_event back = {.events = EPOLLIN, .data.ptr = connection};

        epoll_ctl(load->epoll, EPOLL_CTL_MOD, connection->fd, &back);
        send_request(load, connection);
    }
    if (connection->fd >= 0 && (event->events & ~EPOLLOUT) != 0) {
        receive(load, connection);
    }
}

/* Until the time has come, or no connection is left. */
static void run_until(load_t *load, apr_uint64_t end)
{
    struct epoll_event events[CONNECTIONS_MAX];

    while (load->open > 0) {
        apr_uint64_t now = measure_clock();
        int i, n, wait;

        if (now >= end) {
            return;
        }
        wait = (int)((end - now) / 1000) + 1;
        n = epoll_wait(load->epoll, events, CONNECTIONS_MAX, wait);
        for (i = 0; i < n; i++) {
            serve(load, &events[i]);
        }
    }
}

static apr_uint64_t own_usage(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (apr_uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           (apr_uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void measure(load_t *load, apr_uint64_t time)
{
    int i;

    for (i = 0; i < load->usage_count; i++) {
        load->usages[i].begun = measure_usage(load->usages[i].pid);
    }
    load->own = own_usage();
    load->begun = measure_clock();
    load->measuring = 1;
    run_until(load, load->begun + time);
    load->measuring = 0;
    load->took = measure_clock() - load->begun;
    load->own = own_usage() - load->own;
    for (i = 0; i < load->usage_count; i++) {
        load->usages[i].used = measure_usage(load->usages[i].pid) - load->usages[i].begun;
    }
}

static const char *run(load_t *load, apr_uint64_t warm, apr_uint64_t time)
{
    int i;

    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->connections = apr_pcalloc(load->pool, (apr_size_t)load->count * sizeof(connection_t));
    for (i = 0; i < load->count; i++) {
        const char *error;

        load->connections[i].number = i;
        error = prepare(load, &load->connections[i]);
        if (error != NULL) {
            return error;
        }
    }
    for (i = 0; i < load->count; i++) {
        begin_step(load, &load->connections[i]);
    }
    run_until(load, measure_clock() + warm);
    measure(load, time);
    load->draining = 1;
    run_until(load, measure_clock() + PATIENCE * 1000);
    load->errors += (apr_uint64_t)load->open; /* no answer came */
    return NULL;
}

static const char *write_state(const load_t *load, const char *name)
{
    FILE *file = fopen(name, "w");
    int i, j;

    if (file == NULL) {
        return "the state cannot be written";
    }
    for (i = 0; i < load->count; i++) {
        const apr_array_header_t *ring = load->plan->rings[i];

        if (ring->nelts == 0 && load->connections[i].captured[0] != '\0') {
            fprintf(file, "set %d %s %s\n", i, load->captured, load->connections[i].captured);
        }
        for (j = 0; j < ring->nelts; j++) {
            fprintf(file, "ring %d %s %s\n", i, load->captured, APR_ARRAY_IDX(ring, j, char *));
        }
    }
    return fclose(file) == 0 ? NULL : "the state cannot be written";
}

static void print_string(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\' || (unsigned char)*text < ' ') {
            printf("\\u%04x", (unsigned char)*text);
        } else {
            putchar(*text);
        }
    }
    putchar('"');
}

static void print_times(const char *name, const histogram_t *histogram)
{
    printf(",\"%s\":{\"p50\":%" APR_UINT64_T_FMT ",\"p90\":%" APR_UINT64_T_FMT
           ",\"p99\":%" APR_UINT64_T_FMT ",\"max\":%" APR_UINT64_T_FMT "}",
           name, histogram_at(histogram, 0.5), histogram_at(histogram, 0.9),
           histogram_at(histogram, 0.99), histogram_at(histogram, 1));
}

static void print(const load_t *load)
{
    double seconds = (double)load->took / 1e6;
    int i;

    printf("{\"answered\":%" APR_UINT64_T_FMT ",\"reconnects\":%" APR_UINT64_T_FMT
           ",\"seconds\":%.3f,\"requests\":%" APR_UINT64_T_FMT ",\"rounds\":%" APR_UINT64_T_FMT
           ",\"errors\":%" APR_UINT64_T_FMT ",\"bytes\":%" APR_UINT64_T_FMT ",\"rate\":%.1f",
           load->answered, load->reconnects, seconds, load->requests, load->rounds, load->errors,
           load->bytes, seconds > 0 ? (double)load->rounds / seconds : 0);
    print_times("request_us", &load->by_request);
    print_times("round_us", &load->by_round);
    printf(",\"usage_us\":{\"load\":%" APR_UINT64_T_FMT, load->own);
    for (i = 0; i < load->usage_count; i++) {
        printf(",\"%s\":%" APR_UINT64_T_FMT, load->usages[i].name, load->usages[i].used);
    }
    printf("},\"first_error\":");
    print_string(load->first_error != NULL ? load->first_error : "");
    printf("}\n");
}

typedef struct {
    const char *plan, *state;
    apr_uint64_t warm, time;
} options_t;

static int add_usage(load_t *load, const char *text)
{
    const char *equals = strchr(text, '=');

    if (equals == NULL || load->usage_count == USAGES_MAX) {
        return 0;
    }
    load->usages[load->usage_count].name =
        apr_pstrmemdup(load->pool, text, (apr_size_t)(equals - text));
    load->usages[load->usage_count++].pid = strtol(equals + 1, NULL, 10);
    return 1;
}

static int read_options(load_t *load, options_t *options, int argc, const char *const *argv)
{
    static const apr_getopt_option_t known[] = {
        {"port", 'p', 1, ""},  {"plan", 'f', 1, ""}, {"connections", 'c', 1, ""},
        {"warm", 'w', 1, ""},  {"time", 't', 1, ""}, {"usage", 'u', 1, ""},
        {"state", 's', 1, ""}, {NULL, 0, 0, NULL},
    };
    apr_getopt_t *getopt_state;
    const char *value;
    int letter;
    apr_status_t rv = apr_getopt_init(&getopt_state, load->pool, argc, argv);

    while (rv == APR_SUCCESS &&
           (rv = apr_getopt_long(getopt_state, known, &letter, &value)) == APR_SUCCESS) {
        apr_int64_t number =
            letter != 'f' && letter != 's' && letter != 'u' ? apr_atoi64(value) : 0;

        options->plan = letter == 'f' ? value : options->plan;
        options->state = letter == 's' ? value : options->state;
        load->port = letter == 'p' ? (int)number : load->port;
        load->count = letter == 'c' ? (int)number : load->count;
        options->warm = letter == 'w' ? (apr_uint64_t)number * 1000 : options->warm;
        options->time = letter == 't' ? (apr_uint64_t)number * 1000 : options->time;
        if (letter == 'u' && !add_usage(load, value)) {
            return 0;
        }
    }
    return rv == APR_EOF && options->plan != NULL && load->port > 0 && load->count > 0 &&
           load->count <= CONNECTIONS_MAX;
}

int main(int argc, const char *const *argv)
{
    static load_t load = {.count = 32};
    options_t options = {.warm = 1000000, .time = 5000000};
    plan_t *plan;
    const char *error;

    apr_initialize();
    apr_pool_create(&load.pool, NULL);
    if (!read_options(&load, &options, argc, argv)) {
        fprintf(stderr, "load --port N --plan FILE [--connections N] [--warm MS] [--time MS] "
                        "[--usage NAME=PID]... [--state FILE]\n");
        return 2;
    }
    error = plan_read(&plan, options.plan, load.count, load.pool);
    load.plan = plan;
    if (error == NULL) {
        load.captured = plan_captured(plan);
        error = run(&load, options.warm, options.time);
    }
    if (error == NULL && options.state != NULL) {
        error = write_state(&load, options.state);
    }
    if (error != NULL) {
        fprintf(stderr, "load: %s\n", error);
        return 2;
    }
    print(&load);
    return load.errors == 0 ? 0 : 1;
}
