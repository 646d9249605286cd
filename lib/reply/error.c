/* SPDX-License-Identifier: Apache-2.0 */
#include "reply.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/json.h"

/* Which words of templates/strings an error page uses; everything else says "request". */
static const char *const page_kinds[OAS_E_COUNT] = {
    [OAS_E_NONE] = "server",
    [OAS_E_BARE] = "bare",
    [OAS_E_NOT_FOUND] = "not_found",
    [OAS_E_FORM_STALE] = "stale",
    [OAS_E_FORM_FOREIGN] = "foreign",
    [OAS_E_COOKIES_OFF] = "cookies",
    [OAS_E_THROTTLED] = "throttled",
    [OAS_E_SIGN_IN_UNAVAILABLE] = "unavailable",
    [OAS_E_SIGN_IN_BUSY] = "unavailable",
    [OAS_E_OPTION_REFUSED] = "option_refused",
    [OAS_E_OPTION_UNAVAILABLE] = "option_unavailable",
    [OAS_E_UNAVAILABLE] = "unavailable",
    [OAS_E_SERVER] = "server",
};

/* Whose page leads into the same request again (tx->restart_url). */
enum { RESTART_AGAIN = 1, RESTART_ANOTHER_WAY };

static const int restarts[OAS_E_COUNT] = {
    [OAS_E_FORM_STALE] = RESTART_AGAIN,           [OAS_E_THROTTLED] = RESTART_AGAIN,
    [OAS_E_SIGN_IN_UNAVAILABLE] = RESTART_AGAIN,  [OAS_E_SIGN_IN_BUSY] = RESTART_AGAIN,
    [OAS_E_UNAVAILABLE] = RESTART_AGAIN,          [OAS_E_SERVER] = RESTART_AGAIN,
    [OAS_E_OPTION_REFUSED] = RESTART_ANOTHER_WAY, [OAS_E_OPTION_UNAVAILABLE] = RESTART_ANOTHER_WAY,
};

/* The words of page_kinds at the logout endpoints, where other things are to be said. */
static const struct {
    const char *kind, *at_logout;
} logout_kinds[] = {
    {"request", "logout_request"},
    {"stale", "logout_stale"},
    {"foreign", "logout_stale"},
    {"unavailable", "logout_unavailable"},
};

static const char *page_kind(const oas_tx_t *tx)
{
    const char *kind = page_kinds[tx->error] != NULL ? page_kinds[tx->error] : "request";
    apr_size_t i;

    if (tx->endpoint != OAS_EP_LOGOUT && tx->endpoint != OAS_EP_V2LOGOUT) {
        return kind;
    }
    for (i = 0; i < sizeof(logout_kinds) / sizeof(logout_kinds[0]); i++) {
        if (strcmp(kind, logout_kinds[i].kind) == 0) {
            return logout_kinds[i].at_logout;
        }
    }
    return kind;
}

static void add_retry_after(oas_tx_t *tx)
{
    if (tx->retry_after > 0) {
        oas_reply_header(tx, "Retry-After", apr_itoa(tx->pool, tx->retry_after));
    }
}

static void add_allow(oas_tx_t *tx)
{
    if (tx->error == OAS_E_METHOD) {
        oas_reply_header(tx, "Allow", apr_pstrcat(tx->pool, tx->methods, ", OPTIONS", NULL));
    }
}

static void error_page(oas_tx_t *tx, const oas_error_row_t *row)
{
    oas_page_policy_t policy = {0};
    json_t *data = oas_json_object(tx->pool);

    oas_json_set(data, "kind", page_kind(tx));
    json_object_set_new(data, "error", json_true());
    oas_json_set(data, "code", row->code);
    oas_json_set(data, "detail", row->text);
    oas_json_set(data, "reference", tx->request_id);
    if (tx->error == OAS_E_THROTTLED) {
        json_object_set_new(data, "wait", oas_page_wait(tx->retry_after));
    }
    if (tx->restart_url != NULL && restarts[tx->error] != 0) {
        int only = restarts[tx->error] == RESTART_AGAIN || tx->issuer->login_options->nelts == 1;

        json_object_set_new(data, "restart",
                            json_pack("{sssb}", "url", tx->restart_url, "only", only));
    }
    if (tx->client != NULL && tx->client->client_uri != NULL) {
        json_object_set_new(
            data, "back",
            json_pack("{ssss}", "url", tx->client->client_uri, "name", tx->client->name));
    }
    oas_reply_page(tx, row->status, "error", data, &policy);
}

static oas_members_t *error_members(const oas_tx_t *tx, const oas_error_row_t *row)
{
    oas_members_t *members = oas_members_create(tx->pool);

    oas_members_string(members, "error", row->code);
    oas_members_string(members, "error_description", row->text);
    return members;
}

static void error_redirect(oas_tx_t *tx, const oas_error_row_t *row)
{
    oas_reply_authorization(tx, error_members(tx, row));
}

static void error_json(oas_tx_t *tx, const oas_error_row_t *row)
{
    int status =
        tx->issuer->profile == OAS_PROFILE_AUTH0 ? oas_error_auth0_status(tx->error) : row->status;

    oas_reply_json(tx, status, oas_members_text(error_members(tx, row)));
}

/* RFC 9110 asks for a challenge with each 401; a page of another origin must not get a password
 * box. */
static void client_challenge(oas_tx_t *tx, const oas_error_row_t *row)
{
    if (row->status == 401 && (tx->request.origin == NULL || tx->request.authorization != NULL)) {
        oas_reply_header(tx, "WWW-Authenticate",
                         apr_pstrcat(tx->pool, "Basic realm=\"", tx->issuer->url, "\"", NULL));
    }
}

/* RFC 6750 section 3: no error attribute when no token was sent. */
static void bearer_challenge(oas_tx_t *tx, const oas_error_row_t *row)
{
    const char *realm = apr_pstrcat(tx->pool, "Bearer realm=\"", tx->issuer->url, "\"", NULL);

    if (tx->error == OAS_E_BEARER_MISSING) {
        oas_reply_header(tx, "WWW-Authenticate", realm);
    } else if (row->status == 401 || tx->error == OAS_E_BEARER_SCOPE ||
               tx->error == OAS_E_BEARER_SEVERAL) {
        oas_reply_header(tx, "WWW-Authenticate",
                         apr_pstrcat(tx->pool, realm, ", error=\"", row->code,
                                     "\", error_description=\"", row->text, "\"",
                                     tx->error == OAS_E_BEARER_SCOPE ? ", scope=\"openid\"" : "",
                                     NULL));
    }
}

/*
 * A client may be told by redirect once its redirect_uri is trusted. While the database is away a
 * person is better served by a page that can be reloaded, and a load balancer by its 503; only a
 * request that may show nothing (prompt=none) is answered at the client.
 */
static int may_redirect(const oas_tx_t *tx, const oas_error_row_t *row)
{
    if (tx->redirect_uri == NULL || !row->redirect) {
        return 0;
    }
    return tx->error != OAS_E_UNAVAILABLE || (tx->prompt & OAS_PROMPT_NONE);
}

void oas_reply_error(oas_tx_t *tx)
{
    const oas_error_row_t *row = oas_error_row(tx->error);

    tx->reply.headers = NULL;
    switch (tx->carrier) {
    case OAS_CARRIER_PAGE:
        if (may_redirect(tx, row)) {
            error_redirect(tx, row);
            return;
        }
        error_page(tx, row);
        break;
    case OAS_CARRIER_JSON:
        error_json(tx, row);
        client_challenge(tx, row);
        break;
    case OAS_CARRIER_BEARER:
        error_json(tx, row);
        bearer_challenge(tx, row);
        break;
    }
    add_retry_after(tx);
    add_allow(tx);
}
