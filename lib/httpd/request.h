/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file request.h
 * Requests in, replies out.
 */
#ifndef OAS_HTTPD_REQUEST_H
#define OAS_HTTPD_REQUEST_H

#include <http_protocol.h>
#include <http_request.h>
#include "../base/tx.h"
#include "server_config.h"

#define OAS_HANDLER_NAME "oauth2as"

/** What this module knows of one request_rec. */
typedef struct oas_request_state {
    request_rec *r;
    oas_server_config_t *config;
    const char *id;                /**< the reference that pages show and log lines carry */
    const struct oas_trace *trace; /**< of a valid traceparent header, or NULL */
    const char *trace_text;        /**< how log lines end that have it, else ""; by log.h */
    oas_tx_t *tx;                  /**< what the library makes of it, or NULL: it has not seen it */
    oas_log_t log;
    int claimed; /**< 1: the URI is an endpoint */
    int absent;  /**< 1: it is an API of Auth0's that is not here (endpoint/absent.h) */
    oas_endpoint_id_t endpoint;
    struct oas_db *db;    /**< database.h; made when first asked for */
    void *rec;            /**< ap_dbd_t: the connection that db has borrowed */
    int share_connection; /**< another provider of this request may hold a connection until its end
                           */
    request_rec *login_r; /**< whose environment the last password check filled, or NULL */
    int busy;             /**< the built-in provider had no room to hash */
    apr_interval_time_t waited; /**< until it had */
    const char *proof;          /**< what the built-in provider checked against (oas_identity_t) */
} oas_request_state_t;

/** The state of `r`, made when there is none yet. */
oas_request_state_t *oas_request_state(request_rec *r);

/** The state of `r` when it is for an endpoint of ours, else NULL. */
oas_request_state_t *oas_request_claimed(const request_rec *r);

/** ap_hook_translate_name: claims exactly the endpoint paths of the virtual host's issuer. */
int oas_translate_name(request_rec *r);

/**
 * ap_hook_translate_name, behind all modules that know what a path is: claims paths of Auth0's APIs
 * where nothing else is (profile auth0): no handler, no file or folder of the API's name.
 */
int oas_translate_absent(request_rec *r);

/** ap_hook_map_to_storage: no file stands behind a claimed request. */
int oas_map_to_storage(request_rec *r);

/** ap_hook_handler. */
int oas_handler(request_rec *r);

/** Answers a request with what `run` makes of it, the database and caches at hand: for handlers
 * other than that of the endpoints. @return what a handler returns */
int oas_request_answer(request_rec *r, void (*run)(oas_tx_t *tx));

/** What `run` writes in the place of an error page of httpd, without a database; the headers are
 * set, the body is the caller's to send. */
const oas_reply_t *oas_request_page(request_rec *r, void (*run)(oas_tx_t *tx));

/**
 * Reads a request body of at most OAS_PARAMS_MAX_LEN bytes (body.c). A longer one is thrown away up
 * to a bound, beyond which the connection is closed behind the answer.
 * @return OK, or the status httpd shall answer with
 */
int oas_read_body(request_rec *r, oas_request_t *in);

/** Keeps httpd's own errors on API paths out of HTML (api_error.c): to be called when a path is
 * claimed. */
void oas_api_error_claim(request_rec *r);

/** ap_hook_insert_error_filter, and the registration of its filter. */
void oas_api_error_insert(request_rec *r);
void oas_api_error_register(void);

/** The functions that endpoints call back (host.c). */
extern const oas_host_t oas_host;

#endif
