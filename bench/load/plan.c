/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <string.h>
#include <apr_file_io.h>
#include <apr_strings.h>

typedef struct {
    plan_t *plan;
    plan_step_t *step; /* NULL before the first one */
    char *rest;        /* of the text */
    apr_pool_t *pool;
} reader_t;

static char *next_line(reader_t *reader)
{
    char *line = reader->rest, *end = strchr(line, '\n');

    if (end == NULL) {
        return NULL;
    }
    *end = '\0';
    reader->rest = end + 1;
    return line;
}

/* The next word of a line; the rest begins behind one blank. */
static char *word(char **line)
{
    char *start = *line, *end = strchr(start, ' ');

    *line = end != NULL ? end + 1 : start + strlen(start);
    if (end != NULL) {
        *end = '\0';
    }
    return start;
}

static const char *read_set(reader_t *reader, char *line)
{
    const char *which = word(&line), *name = word(&line);
    int i, n = reader->plan->values->nelts, only = -1;

    if (strcmp(which, "*") != 0) {
        only = (int)apr_atoi64(which);
    }
    if (only >= n) {
        return NULL; /* fewer connections than there are values for */
    }
    for (i = 0; i < n; i++) {
        if (only < 0 || only == i) {
            apr_table_set(APR_ARRAY_IDX(reader->plan->values, i, apr_table_t *), name, line);
        }
    }
    return NULL;
}

/* The first one is the connection's value to begin with. */
static const char *read_ring(reader_t *reader, char *line)
{
    int which = (int)apr_atoi64(word(&line));
    const char *name = word(&line);

    if (which < 0 || which >= reader->plan->values->nelts) {
        return NULL; /* fewer connections than there are values for */
    }
    if (strlen(line) != PLAN_CAPTURE_LEN) {
        return "a value of a ring has another length than what is captured";
    }
    if (reader->plan->rings[which]->nelts == 0) {
        apr_table_set(APR_ARRAY_IDX(reader->plan->values, which, apr_table_t *), name, line);
    }
    APR_ARRAY_PUSH(reader->plan->rings[which], char *) = line;
    return NULL;
}

static const char *read_step(reader_t *reader, char *line)
{
    reader->step = apr_array_push(reader->plan->steps);
    memset(reader->step, 0, sizeof(*reader->step));
    reader->step->status = 200;
    return NULL;
}

static const char *read_expect(reader_t *reader, char *line)
{
    reader->step->status = (int)apr_atoi64(word(&line));
    reader->step->expected = *line != '\0' ? line : NULL;
    return NULL;
}

static const char *read_capture(reader_t *reader, char *line)
{
    const char *before = plan_captured(reader->plan);

    reader->step->capture = word(&line);
    reader->step->behind = line;
    return before != NULL && strcmp(before, reader->step->capture) != 0
               ? "a plan captures one value only"
               : NULL;
}

/* Headers end in CRLF; the body is taken as it is. */
static const char *read_request(reader_t *reader, char *unused)
{
    const char *head = "", *body = "";
    int in_body = 0;
    char *line;

    while ((line = next_line(reader)) != NULL && strcmp(line, "end") != 0) {
        if (!in_body && *line == '\0') {
            in_body = 1;
        } else if (in_body) {
            body = apr_pstrcat(reader->pool, body, line, NULL);
        } else {
            head = apr_pstrcat(reader->pool, head, line, "\r\n", NULL);
        }
    }
    reader->step->text = apr_pstrcat(reader->pool, head, "\r\n", body, NULL);
    return line != NULL ? NULL : "a request does not end";
}

static const struct {
    const char *word;
    int in_step;
    const char *(*read)(reader_t *reader, char *line);
} kinds[] = {
    {"set", 0, read_set},       {"ring", 0, read_ring},       {"step", 0, read_step},
    {"expect", 1, read_expect}, {"capture", 1, read_capture}, {"request", 1, read_request},
};

static const char *read_line(reader_t *reader, char *line)
{
    const char *first = word(&line);
    apr_size_t i;

    if (*first == '\0') {
        return NULL;
    }
    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(first, kinds[i].word) == 0 && (!kinds[i].in_step || reader->step != NULL)) {
            return kinds[i].read(reader, line);
        }
    }
    return apr_pstrcat(reader->pool, "no line of a plan: ", first, NULL);
}

static const char *read_text(char **out, const char *name, apr_pool_t *pool)
{
    apr_finfo_t info;
    apr_file_t *file;
    apr_size_t len;

    if (apr_file_open(&file, name, APR_FOPEN_READ, 0, pool) != APR_SUCCESS ||
        apr_file_info_get(&info, APR_FINFO_SIZE, file) != APR_SUCCESS) {
        return "the plan cannot be opened";
    }
    len = (apr_size_t)info.size;
    *out = apr_pcalloc(pool, len + 1);
    if (apr_file_read_full(file, *out, len, &len) != APR_SUCCESS) {
        return "the plan cannot be read";
    }
    apr_file_close(file);
    return NULL;
}

const char *plan_read(plan_t **out, const char *file, int connections, apr_pool_t *pool)
{
    plan_t *plan = apr_pcalloc(pool, sizeof(*plan));
    reader_t reader = {.plan = plan, .pool = pool};
    const char *error = read_text(&reader.rest, file, pool);
    char *line;
    int i;

    plan->steps = apr_array_make(pool, 4, sizeof(plan_step_t));
    plan->values = apr_array_make(pool, connections, sizeof(apr_table_t *));
    plan->rings = apr_palloc(pool, (apr_size_t)connections * sizeof(apr_array_header_t *));
    for (i = 0; i < connections; i++) {
        plan->rings[i] = apr_array_make(pool, 1, sizeof(char *));
        APR_ARRAY_PUSH(plan->values, apr_table_t *) = apr_table_make(pool, 4);
    }
    while (error == NULL && (line = next_line(&reader)) != NULL) {
        error = read_line(&reader, line);
    }
    for (i = 0; error == NULL && i < plan->steps->nelts; i++) {
        if (APR_ARRAY_IDX(plan->steps, i, plan_step_t).text == NULL) {
            error = "a step has no request";
        }
    }
    *out = plan;
    return error != NULL ? error : plan->steps->nelts > 0 ? NULL : "the plan has no step";
}

const char *plan_captured(const plan_t *plan)
{
    int i;

    for (i = 0; i < plan->steps->nelts; i++) {
        const char *name = APR_ARRAY_IDX(plan->steps, i, plan_step_t).capture;

        if (name != NULL) {
            return name;
        }
    }
    return NULL;
}

/* Puts values in; NULL when one is missing. */
static char *expand(const char *text, const apr_table_t *values, apr_pool_t *pool)
{
    const char *open;
    char *out = "";

    while ((open = strstr(text, "${")) != NULL) {
        const char *close = strchr(open, '}'), *value;

        if (close == NULL) {
            return NULL;
        }
        value =
            apr_table_get(values, apr_pstrmemdup(pool, open + 2, (apr_size_t)(close - open - 2)));
        if (value == NULL) {
            return NULL;
        }
        out = apr_pstrcat(pool, out, apr_pstrmemdup(pool, text, (apr_size_t)(open - text)), value,
                          NULL);
        text = close + 1;
    }
    return apr_pstrcat(pool, out, text, NULL);
}

/* Where a mark stands. */
static apr_array_header_t *find_places(const char *text, const char *mark, apr_pool_t *pool)
{
    apr_array_header_t *places = apr_array_make(pool, 2, sizeof(apr_size_t));
    const char *at = text;

    while ((at = strstr(at, mark)) != NULL) {
        APR_ARRAY_PUSH(places, apr_size_t) = (apr_size_t)(at - text);
        at += strlen(mark);
    }
    return places;
}

static char *with_length(const char *text, apr_pool_t *pool)
{
    const char *body = strstr(text, "\r\n\r\n") + 4;

    if (*body == '\0') {
        return apr_pstrdup(pool, text);
    }
    return apr_psprintf(pool, "%.*sContent-Length: %" APR_SIZE_T_FMT "\r\n\r\n%s",
                        (int)(body - text - 2), text, strlen(body), body);
}

plan_request_t *plan_request(const plan_t *plan, int step, int connection, const char *captured,
                             apr_pool_t *pool)
{
    plan_request_t *request = apr_pcalloc(pool, sizeof(*request));
    const plan_step_t *of = &APR_ARRAY_IDX(plan->steps, step, plan_step_t);
    apr_table_t *values =
        apr_table_clone(pool, APR_ARRAY_IDX(plan->values, connection, apr_table_t *));
    char mark[PLAN_CAPTURE_LEN + 1];
    const char *first = captured != NULL ? apr_table_get(values, captured) : NULL;
    char *text;
    int i;

    /* a mark of the same length, which nothing else can contain */
    memset(mark, '\001', PLAN_CAPTURE_LEN);
    mark[PLAN_CAPTURE_LEN] = '\0';
    if (captured != NULL) {
        apr_table_set(values, captured, mark);
    }
    text = expand(of->text, values, pool);
    if (text == NULL) {
        return NULL;
    }
    request->bytes = with_length(text, pool);
    request->len = strlen(request->bytes);
    request->places = find_places(request->bytes, mark, pool);
    for (i = 0; first != NULL && strlen(first) == PLAN_CAPTURE_LEN && i < request->places->nelts;
         i++) {
        memcpy(request->bytes + APR_ARRAY_IDX(request->places, i, apr_size_t), first,
               PLAN_CAPTURE_LEN);
    }
    return request;
}
