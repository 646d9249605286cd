/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <string.h>
#include <apr_buckets.h>
#include <apr_strings.h>
#include <http_core.h>
#include <util_filter.h>
#include "../endpoint/endpoint.h"

#define FILTER_NAME "OAUTH2AS_API_ERROR"

/** What httpd itself may answer with before or beside the endpoint, in OAuth's words. */
static const struct {
    int status;
    const char *error;
    const char *text;
} errors[] = {
    {HTTP_BAD_REQUEST, "invalid_request", "The request is malformed."},
    {HTTP_UNAUTHORIZED, "access_denied", "The server requires authentication here."},
    {HTTP_FORBIDDEN, "access_denied", "The server does not allow this request."},
    {HTTP_NOT_FOUND, "invalid_request", "There is nothing here."},
    {HTTP_METHOD_NOT_ALLOWED, "invalid_request", "This method is not allowed here."},
    {HTTP_NOT_ACCEPTABLE, "invalid_request", "The answer cannot have the form asked for."},
    {HTTP_REQUEST_TIME_OUT, "invalid_request", "The request came too slowly."},
    {HTTP_LENGTH_REQUIRED, "invalid_request", "The request needs a Content-Length."},
    {HTTP_PRECONDITION_FAILED, "invalid_request", "A precondition of the request failed."},
    {HTTP_REQUEST_ENTITY_TOO_LARGE, "invalid_request", "The request body is too large."},
    {HTTP_REQUEST_URI_TOO_LARGE, "invalid_request", "The request URI is too long."},
    {HTTP_UNSUPPORTED_MEDIA_TYPE, "invalid_request", "The content type is not supported."},
    {HTTP_EXPECTATION_FAILED, "invalid_request", "The expectation cannot be met."},
    {HTTP_TOO_MANY_REQUESTS, "temporarily_unavailable", "Too many requests."},
    {HTTP_NOT_IMPLEMENTED, "invalid_request", "This method is not implemented."},
    {HTTP_BAD_GATEWAY, "server_error", "The server has failed."},
    {HTTP_SERVICE_UNAVAILABLE, "temporarily_unavailable", "The server is not available now."},
    {HTTP_GATEWAY_TIME_OUT, "temporarily_unavailable", "The server is not available now."},
    {HTTP_INTERNAL_SERVER_ERROR, "server_error", "The server has failed."}, /* last: any other */
};
#define ERRORS (sizeof(errors) / sizeof(errors[0]))

/* What ap_custom_response would make for all of them, one status after the other, in as much time
 * as some answers take. Its text stands for none: the filter below writes the body. */
static char *responses[RESPONSE_CODES];

static void prepare_responses(void)
{
    static char text[] = "\"error";
    apr_size_t i;

    for (i = 0; i < ERRORS; i++) {
        responses[ap_index_of_response(errors[i].status)] = text;
    }
}

void oas_api_error_claim(request_rec *r)
{
    core_request_config *core = ap_get_core_module_config(r->request_config);

    /* a custom response of the request's own goes before any ErrorDocument, which may be HTML;
     * copied, since other modules may change theirs */
    core->response_code_strings = apr_pmemdup(r->pool, responses, sizeof(responses));
}

static const char *error_body(const request_rec *r)
{
    apr_size_t i = 0;

    while (i < ERRORS - 1 && errors[i].status != r->status) {
        i++;
    }
    return apr_psprintf(r->pool, "{\"error\":\"%s\",\"error_description\":\"%s\"}", errors[i].error,
                        errors[i].text);
}

/** Puts JSON in the place of the body that httpd writes. */
static apr_status_t replace_body(ap_filter_t *f, apr_bucket_brigade *bb)
{
    request_rec *r = f->r;
    const char *body;
    apr_size_t len;

    apr_brigade_cleanup(bb);
    if (f->ctx != NULL) {
        return APR_SUCCESS;
    }
    f->ctx = r;
    body = error_body(r);
    len = strlen(body);
    ap_set_content_type(r, "application/json");
    ap_set_content_length(r, (apr_off_t)len);
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_pool_create(body, len, r->pool, bb->bucket_alloc));
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(bb->bucket_alloc));
    return ap_pass_brigade(f->next, bb);
}

void oas_api_error_insert(request_rec *r)
{
    const oas_request_state_t *state = oas_request_claimed(r);

    if (state != NULL && oas_endpoint_is_api(state->endpoint)) {
        ap_add_output_filter(FILTER_NAME, NULL, r, r->connection);
    }
}

void oas_api_error_register(void)
{
    prepare_responses();
    ap_register_output_filter(FILTER_NAME, replace_body, NULL, AP_FTYPE_CONTENT_SET);
}
