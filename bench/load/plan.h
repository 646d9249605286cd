/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file plan.h
 * What each connection asks, over and over: steps with a request, what its answer must be, and what
 * of the answer the next requests need. Everything that does not change is made once.
 *
 * A plan is a text of lines:
 *
 *   set N NAME VALUE        a value of connection N, or of all for *
 *   ring N NAME VALUE       one of several values that connection N uses in turn, each again with
 * what was captured in its round step                    begins a step; the following lines are
 * about it expect STATUS TEXT      the answer has this status and contains TEXT (up to the end of
 * the line; may be missing) capture NAME TEXT       the PLAN_CAPTURE_LEN characters behind TEXT in
 * the answer are the new value of NAME request                 the lines up to one that says "end":
 * request line and headers, and behind an empty line the body
 *
 * In requests ${NAME} is a value. Content-Length is added.
 */
#ifndef OAS_LOAD_PLAN_H
#define OAS_LOAD_PLAN_H

#include <apr_tables.h>

#define PLAN_CAPTURE_LEN 64

typedef struct {
    int status;
    const char *expected; /**< NULL: anything */
    const char *capture;  /**< NULL: nothing */
    const char *behind;
    const char *text; /**< of the request, with ${NAME} */
} plan_step_t;

/** The request of one step on one connection. */
typedef struct {
    char *bytes;
    apr_size_t len;
    apr_array_header_t *places; /**< apr_size_t: where the value that a step captures stands */
} plan_request_t;

typedef struct {
    apr_array_header_t *steps;  /**< plan_step_t */
    apr_array_header_t *values; /**< one apr_table_t * for each connection */
    apr_array_header_t *
        *rings; /**< for each connection char * of PLAN_CAPTURE_LEN, of the captured name */
} plan_t;

/** Reads a plan for so many connections. Returns NULL or what is wrong. */
const char *plan_read(plan_t **out, const char *file, int connections, apr_pool_t *pool);

/** The request of a step with the connection's values; NULL when one is missing. `captured` is the
 * name whose places are noted. */
plan_request_t *plan_request(const plan_t *plan, int step, int connection, const char *captured,
                             apr_pool_t *pool);

/** The name that some step captures, or NULL; more than one is refused by plan_read. */
const char *plan_captured(const plan_t *plan);

#endif
