/* SPDX-License-Identifier: Apache-2.0 */
#include "response.h"

#include <string.h>
#include "../base/uri.h"

static const struct {
    const char *name;
    oas_response_mode_t mode;
} modes[] = {{"query", OAS_MODE_QUERY},
             {"fragment", OAS_MODE_FRAGMENT},
             {"form_post", OAS_MODE_FORM_POST},
             {"web_message", OAS_MODE_WEB_MESSAGE}};

static const oas_name_bit_t parts[] = {
    {"code", OAS_PART_CODE}, {"id_token", OAS_PART_ID_TOKEN}, {"token", OAS_PART_TOKEN}, {NULL, 0}};

#define PART_UNKNOWN 8 /* makes a response_type that there is none of */
#define FRONT_TOKENS (OAS_PART_ID_TOKEN | OAS_PART_TOKEN)

static int find_mode(const char *name, oas_response_mode_t *out)
{
    apr_size_t i;

    for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(modes[i].name, name) == 0) {
            *out = modes[i].mode;
            return 1;
        }
    }
    return 0;
}

/* OAS_PART_ bits. A word said twice or a space too many makes it unknown, like an unknown word. */
static unsigned parts_of(const char *response_type, apr_pool_t *pool)
{
    oas_words_t *words;
    unsigned found = 0;
    int i;

    if (response_type == NULL) {
        return 0;
    }
    if (oas_words_parse(&words, response_type, pool) != APR_SUCCESS ||
        strcmp(oas_words_join(words, pool), response_type) != 0) {
        found = PART_UNKNOWN;
    }
    for (i = 0; i < words->nelts; i++) {
        unsigned bit = oas_name_bit(parts, OAS_WORD(words, i));
        found |= bit != 0 ? bit : PART_UNKNOWN;
    }
    return found;
}

/* A query is written to logs and sent on as Referer: no token may be in one. */
static int may_carry(oas_response_mode_t mode, unsigned response)
{
    return mode != OAS_MODE_QUERY || !(response & FRONT_TOKENS);
}

oas_outcome_t oas_assign_response_mode(oas_tx_t *tx)
{
    const char *asked = oas_params_get(tx->params, "response_mode");
    oas_response_mode_t mode;

    tx->state = oas_params_get(tx->params, "state");
    tx->nonce = oas_params_get(tx->params, "nonce");
    tx->response = parts_of(oas_params_get(tx->params, "response_type"), tx->pool);
    tx->response_mode = tx->response & FRONT_TOKENS ? OAS_MODE_FRAGMENT : OAS_MODE_QUERY;
    if (asked != NULL && find_mode(asked, &mode) && may_carry(mode, tx->response)) {
        tx->response_mode = mode;
    }
    return OAS_NEXT;
}

/*
 * The origin of a URI, when it is a page's and CSP can name it: it has no word for an IPv6 address,
 * and punctuation in a host would say more than a name.
 */
static const char *page_origin(const char *text, apr_pool_t *pool)
{
    static const char name_chars[] = "abcdefghijklmnopqrstuvwxyz0123456789-._";
    oas_uri_t uri;

    if (oas_uri_parse(&uri, text, pool) != APR_SUCCESS || uri.host == NULL ||
        uri.host[strspn(uri.host, name_chars)] != '\0' ||
        (strcmp(uri.scheme, "https") != 0 && strcmp(uri.scheme, "http") != 0)) {
        return NULL;
    }
    return oas_uri_origin(&uri, pool);
}

oas_outcome_t oas_check_web_message(oas_tx_t *tx)
{
    const char *origin;

    if (tx->response_mode != OAS_MODE_WEB_MESSAGE) {
        return OAS_NEXT;
    }
    if (!tx->client->web_message) {
        return oas_refuse(tx, OAS_TAG(00800), OAS_E_WEB_MESSAGE_ORIGIN,
                          "the client may not use web_message");
    }
    origin = page_origin(tx->redirect_uri, tx->pool);
    if (origin == NULL || !oas_words_has(tx->client->web_origins, origin)) {
        return oas_refuse(tx, OAS_TAG(00801), OAS_E_WEB_MESSAGE_ORIGIN, NULL);
    }
    tx->message_origin = origin;
    return OAS_NEXT;
}

oas_outcome_t oas_check_response_mode(oas_tx_t *tx)
{
    const char *asked = oas_params_get(tx->params, "response_mode");
    oas_response_mode_t mode;

    if (asked == NULL) {
        return OAS_NEXT;
    }
    if (!find_mode(asked, &mode)) {
        return oas_refuse(tx, OAS_TAG(00620), OAS_E_RESPONSE_MODE, NULL);
    }
    if (!may_carry(mode, tx->response)) {
        return oas_refuse(tx, OAS_TAG(00802), OAS_E_RESPONSE_MODE, "a query for tokens");
    }
    return OAS_NEXT;
}

oas_outcome_t oas_check_request_object(oas_tx_t *tx)
{
    if (oas_params_get(tx->params, "request") != NULL) {
        return oas_refuse(tx, OAS_TAG(00621), OAS_E_REQUEST_OBJECT, NULL);
    }
    if (oas_params_get(tx->params, "request_uri") != NULL) {
        return oas_refuse(tx, OAS_TAG(00622), OAS_E_REQUEST_URI, NULL);
    }
    return OAS_NEXT;
}

static int type_exists(unsigned response)
{
    const oas_name_bit_t *row;

    for (row = oas_response_type_names; row->name != NULL; row++) {
        if (row->bit == OAS_RESPONSE_OF(response)) {
            return 1;
        }
    }
    return 0;
}

static int may_have_token(const oas_tx_t *tx)
{
    return tx->issuer->profile != OAS_PROFILE_OAUTH21 && !tx->client->bound_tokens;
}

oas_outcome_t oas_check_response_type(oas_tx_t *tx)
{
    if (oas_params_get(tx->params, "response_type") == NULL) {
        return oas_refuse(tx, OAS_TAG(00623), OAS_E_RESPONSE_TYPE_MISSING, NULL);
    }
    if (!type_exists(tx->response)) {
        return oas_refuse(tx, OAS_TAG(00624), OAS_E_RESPONSE_TYPE_UNSUPPORTED, NULL);
    }
    if (!(tx->client->response_types & OAS_RESPONSE_OF(tx->response))) {
        return oas_refuse(tx, OAS_TAG(00625), OAS_E_RESPONSE_TYPE_UNAUTHORIZED, NULL);
    }
    if ((tx->response & OAS_PART_TOKEN) && !may_have_token(tx)) {
        return oas_refuse(tx, OAS_TAG(00803), OAS_E_RESPONSE_TYPE_UNAUTHORIZED,
                          "no access tokens from the front channel here");
    }
    tx->mask = tx->response;
    return OAS_NEXT;
}

oas_outcome_t oas_check_id_token_request(oas_tx_t *tx)
{
    if (tx->nonce == NULL) {
        return oas_refuse(tx, OAS_TAG(00804), OAS_E_NONCE_MISSING, NULL);
    }
    if (!oas_words_has(tx->scopes, "openid")) {
        return oas_refuse(tx, OAS_TAG(00805), OAS_E_OPENID_MISSING, NULL);
    }
    return OAS_NEXT;
}
