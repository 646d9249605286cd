/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <string.h>
#include <apr_buckets.h>
#include <apr_strings.h>
#include "../base/bytes.h"
#include "../base/params.h"

#define FIRST_SIZE  4096
#define DISCARD_MAX (1024 * 1024) /* read in vain at most; beyond, the connection is closed */

/** A body as it comes in. */
typedef struct {
    apr_pool_t *pool;
    char *data;
    apr_size_t size, len;
    apr_size_t discarded;
    int too_large, ended;
} body_t;

/** Makes room for `more` bytes and a NUL; what held secrets before is wiped. */
static void make_room(body_t *body, apr_size_t more)
{
    apr_size_t size = body->size > 0 ? body->size : FIRST_SIZE;
    char *data;

    if (body->len + more + 1 <= body->size) {
        return;
    }
    while (size < body->len + more + 1) {
        size *= 2;
    }
    data = apr_palloc(body->pool, size);
    if (body->data != NULL) {
        memcpy(data, body->data, body->len);
        oas_wipe(body->data, body->len);
    }
    body->data = data;
    body->size = size;
}

static void append(body_t *body, const char *data, apr_size_t len)
{
    if (body->too_large || body->len + len > OAS_PARAMS_MAX_LEN) {
        body->too_large = 1;
        body->discarded += len;
        return;
    }
    make_room(body, len);
    memcpy(body->data + body->len, data, len);
    body->len += len;
}

static apr_status_t take_brigade(body_t *body, apr_bucket_brigade *bb)
{
    apr_bucket *bucket;

    for (bucket = APR_BRIGADE_FIRST(bb); bucket != APR_BRIGADE_SENTINEL(bb) && !body->ended;
         bucket = APR_BUCKET_NEXT(bucket)) {
        const char *data;
        apr_size_t len;
        apr_status_t rv;

        if (APR_BUCKET_IS_EOS(bucket)) {
            body->ended = 1;
        } else if (!APR_BUCKET_IS_METADATA(bucket)) {
            rv = apr_bucket_read(bucket, &data, &len, APR_BLOCK_READ);
            if (rv != APR_SUCCESS) {
                return rv;
            }
            append(body, data, len);
        }
    }
    return APR_SUCCESS;
}

/** 1 when the header alone says that reading is in vain. */
static int announced_too_large(const request_rec *r)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t value;

    return length != NULL && ap_parse_strict_length(&value, length) &&
           value > OAS_PARAMS_MAX_LEN + DISCARD_MAX;
}

static void give_up(request_rec *r, oas_request_t *in)
{
    in->body_too_large = 1;
    r->connection->keepalive = AP_CONN_CLOSE;
}

int oas_read_body(request_rec *r, oas_request_t *in)
{
    body_t body = {.pool = r->pool};
    apr_bucket_brigade *bb;
    apr_status_t rv;

    if (announced_too_large(r)) {
        give_up(r, in);
        return OK;
    }
    bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    while (!body.ended && body.discarded <= DISCARD_MAX) {
        rv = ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ,
                            HUGE_STRING_LEN);
        if (rv == APR_SUCCESS) {
            rv = take_brigade(&body, bb);
        }
        apr_brigade_cleanup(bb);
        if (rv != APR_SUCCESS) {
            oas_wipe(body.data, body.len);
            return ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
        }
    }
    apr_brigade_destroy(bb);
    if (body.too_large) {
        oas_wipe(body.data, body.len);
        in->body_too_large = 1;
        if (!body.ended) {
            give_up(r, in);
        }
    } else if (body.len > 0) {
        body.data[body.len] = '\0';
        oas_wipe_with_pool(r->pool, body.data, body.len);
        in->body = body.data;
        in->body_len = body.len;
    }
    return OK;
}
