/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/bytes.h"
#include "../base/trace.h"
#include "../endpoint/absent.h"
#include "../endpoint/endpoint.h"
#include "certificate.h"
#include "database.h"
#include "keyring.h"
#include "log.h"

#define ID_BYTES 9

/** Mixes the bits of a counter so that nobody sees how many there were (splitmix64). */
static apr_uint64_t mix(apr_uint64_t x)
{
    x = (x ^ x >> 30) * APR_UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * APR_UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/** mod_unique_id's value where it is loaded, so that it is the same as in the access log. Else an
 * id that no other request has; nothing rests on nobody guessing it, so the generator is asked once
 * in each thread only. */
static const char *request_id(request_rec *r)
{
    static __thread struct {
        apr_uint64_t seed[2];
        apr_uint64_t count;
    } thread;
    const char *unique = apr_table_get(r->subprocess_env, "UNIQUE_ID");
    apr_uint64_t random[2];

    if (unique != NULL && *unique != '\0') {
        return unique;
    }
    if (thread.count == 0 && oas_random(thread.seed, sizeof(thread.seed)) != APR_SUCCESS) {
        return apr_psprintf(r->pool, "%" APR_TIME_T_FMT, r->request_time);
    }
    thread.count++;
    random[0] = mix(thread.seed[0] + thread.count * APR_UINT64_C(0x9e3779b97f4a7c15));
    random[1] = mix(thread.seed[1] ^ random[0]);
    return oas_base64url_encode(r->pool, random, ID_BYTES);
}

oas_request_state_t *oas_request_state(request_rec *r)
{
    oas_request_state_t *state = ap_get_module_config(r->request_config, &oauth2as_module);

    if (state == NULL) {
        state = apr_pcalloc(r->pool, sizeof(*state));
        state->r = r;
        state->config = oas_server_config(r->server);
        state->id = request_id(r);
        state->trace = oas_trace_read(apr_table_get(r->headers_in, "traceparent"), r->pool);
        oas_log_to_request(&state->log, state);
        ap_set_module_config(r->request_config, &oauth2as_module, state);
    }
    return state;
}

oas_request_state_t *oas_request_claimed(const request_rec *r)
{
    oas_request_state_t *state = ap_get_module_config(r->request_config, &oauth2as_module);

    return state != NULL && state->claimed ? state : NULL;
}

/** 1 for "/.well-known/NAME" + the issuer's path, where RFC 8414 section 3.1 looks for metadata. */
static int is_inserted_path(const oas_issuer_t *issuer, oas_endpoint_id_t id, const char *uri)
{
    const char *path = oas_endpoint_default_path(id);
    apr_size_t len = strlen(path);

    return (id == OAS_EP_OAUTH_METADATA || id == OAS_EP_OPENID_CONFIGURATION) &&
           issuer->endpoint_paths[id] != NULL && *issuer->path != '\0' &&
           strncmp(uri, path, len) == 0 && strcmp(uri + len, issuer->path) == 0;
}

/** The endpoint behind a path, or OAS_EP_COUNT. */
static oas_endpoint_id_t find_endpoint(const oas_issuer_t *issuer, const char *uri)
{
    int id;

    for (id = 0; id < OAS_EP_COUNT; id++) {
        const char *path = issuer->endpoint_paths[id];
        if ((path != NULL && strcmp(path, uri) == 0) || is_inserted_path(issuer, id, uri)) {
            break;
        }
    }
    return id;
}

int oas_translate_name(request_rec *r)
{
    const oas_issuer_t *issuer = &oas_server_config(r->server)->issuer;
    oas_request_state_t *state;
    oas_endpoint_id_t id;

    if (issuer->url == NULL || r->proxyreq != PROXYREQ_NONE || r->uri == NULL) {
        return DECLINED;
    }
    id = find_endpoint(issuer, r->uri);
    if (id == OAS_EP_COUNT) {
        return DECLINED;
    }
    state = oas_request_state(r);
    state->claimed = 1;
    state->endpoint = id;
    r->handler = OAS_HANDLER_NAME;
    /* other modules expect a name; one without slash and dot means nothing to them */
    r->filename = apr_pstrcat(r->pool, OAS_HANDLER_NAME ":", oas_endpoint_name(id), NULL);
    if (oas_endpoint_is_api(id)) {
        oas_api_error_claim(r);
    }
    return OK;
}

/** The state of a request that this module answers, else NULL. */
static oas_request_state_t *answered_here(const request_rec *r)
{
    oas_request_state_t *state = ap_get_module_config(r->request_config, &oauth2as_module);

    return state != NULL && (state->claimed || state->absent) ? state : NULL;
}

int oas_map_to_storage(request_rec *r)
{
    return answered_here(r) != NULL && r->method_number != M_TRACE ? OK : DECLINED;
}

/** HEAD counts as GET where looking changes nothing; at authorize it could make a code, and end a
 * session elsewhere. */
static const char *method_of(const request_rec *r, oas_endpoint_id_t endpoint)
{
    if (!r->header_only) {
        return r->method;
    }
    return endpoint == OAS_EP_AUTHORIZE || endpoint == OAS_EP_LOGOUT || endpoint == OAS_EP_V2LOGOUT
               ? "HEAD"
               : "GET";
}

static void fill_request(const request_rec *r, oas_endpoint_id_t endpoint, oas_request_t *in)
{
    const apr_table_t *headers = r->headers_in;

    in->method = method_of(r, endpoint);
    in->query = r->args;
    in->content_type = apr_table_get(headers, "Content-Type");
    in->authorization = apr_table_get(headers, "Authorization");
    in->cookie = apr_table_get(headers, "Cookie");
    in->origin = apr_table_get(headers, "Origin");
    in->if_none_match = apr_table_get(headers, "If-None-Match");
    in->access_control_request_method = apr_table_get(headers, "Access-Control-Request-Method");
    in->address = r->useragent_ip;
    in->forwarded_for = apr_table_get(headers, "auth0-forwarded-for");
    in->user_agent = apr_table_get(headers, "User-Agent");
    in->accept = endpoint == OAS_EP_METRICS ? apr_table_get(headers, "Accept") : NULL;
    in->accept_language = apr_table_get(headers, "Accept-Language");
}

/** Headers go where httpd keeps them whatever the status is. */
static void set_headers(request_rec *r, const oas_reply_t *reply)
{
    if (reply->headers != NULL) {
        const apr_array_header_t *list = apr_table_elts(reply->headers);
        int i;

        for (i = 0; i < list->nelts; i++) {
            const apr_table_entry_t *header = &APR_ARRAY_IDX(list, i, apr_table_entry_t);
            apr_table_addn(r->err_headers_out, header->key, header->val);
        }
    }
    if (reply->content_type != NULL) {
        ap_set_content_type(r, reply->content_type);
    }
    if (reply->body != NULL) {
        ap_set_content_length(r, (apr_off_t)reply->body_len);
    }
}

static int send_reply(request_rec *r, const oas_reply_t *reply)
{
    set_headers(r, reply);
    r->status = reply->status;
    if (reply->body != NULL) {
        ap_rwrite(reply->body, (int)reply->body_len, r);
    }
    return OK;
}

static oas_tx_t *make_tx(request_rec *r, oas_request_state_t *state)
{
    oas_tx_t *tx = apr_pcalloc(r->pool, sizeof(*tx));

    tx->pool = r->pool;
    tx->issuer = &state->config->issuer;
    tx->keys = oas_server_keys(state->config, r->pool);
    tx->host = &oas_host;
    tx->host_baton = r;
    tx->log = &state->log;
    tx->request_id = state->id;
    tx->endpoint = state->endpoint;
    tx->request.trace = state->trace;
    state->tx = tx;
    fill_request(r, state->endpoint, &tx->request);
    return tx;
}

/** @return OK, or the status httpd shall answer with */
static int run_with_database(request_rec *r, const oas_request_state_t *state, oas_tx_t *tx,
                             void (*run)(oas_tx_t *tx))
{
    tx->db = oas_request_db(r);
    tx->clients = state->config->client_cache;
    tx->jwks = state->config->jwks_cache;
    tx->salts = state->config->salts;
    tx->hasher = state->config->hasher;
    tx->desk = state->config->desk;
    tx->pace = state->config->pace;
    tx->readiness = state->config->readiness;
    run(tx);
    oas_db_release(tx->db);
    return tx->reply.status == 0 ? HTTP_INTERNAL_SERVER_ERROR : OK;
}

/** @return OK, or the status httpd shall answer with */
static int run_endpoint(request_rec *r, oas_request_state_t *state, oas_tx_t *tx)
{
    if (oas_endpoint_is_api(state->endpoint)) {
        oas_certificate_fill(r, &tx->request);
    }
    if (r->method_number == M_POST) {
        int status = oas_read_body(r, &tx->request);
        if (status != OK) {
            return status;
        }
    }
    return run_with_database(r, state, tx, oas_endpoint_run);
}

int oas_request_answer(request_rec *r, void (*run)(oas_tx_t *tx))
{
    oas_request_state_t *state = oas_request_state(r);
    oas_tx_t *tx = make_tx(r, state);
    int status;

    tx->request.user = r->user;
    status = run_with_database(r, state, tx, run);
    return status == OK ? send_reply(r, &tx->reply) : status;
}

const oas_reply_t *oas_request_page(request_rec *r, void (*run)(oas_tx_t *tx))
{
    oas_tx_t *tx = make_tx(r, oas_request_state(r));

    run(tx);
    set_headers(r, &tx->reply);
    return &tx->reply;
}

int oas_handler(request_rec *r)
{
    oas_request_state_t *state = answered_here(r);
    int status = OK;
    oas_tx_t *tx;

    if (state == NULL || r->main != NULL) {
        return DECLINED;
    }
    tx = make_tx(r, state);
    if (state->absent) {
        oas_absent_run(tx);
    } else {
        status = run_endpoint(r, state, tx);
    }
    return status == OK ? send_reply(r, &tx->reply) : status;
}
