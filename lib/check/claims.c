/* SPDX-License-Identifier: Apache-2.0 */
#include "claims.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/json.h"

/* The members of the parameter, and where their claims go. */
static const char *const members[] = {"id_token", "userinfo"};

#define MEMBERS (sizeof(members) / sizeof(members[0]))

static int is_word(const char *text, apr_pool_t *pool)
{
    oas_words_t *words;

    return oas_words_parse(&words, text, pool) == APR_SUCCESS && words->nelts == 1 &&
           strcmp(OAS_WORD(words, 0), text) == 0;
}

/* The claim of that name which this client may be given, or NULL. */
static const oas_claim_t *releasable(const oas_tx_t *tx, const char *name)
{
    const oas_claim_t *claim = oas_claim_find(tx->issuer, name);

    return claim != NULL && oas_claim_requestable(claim, tx->client, tx->resource) &&
                   is_word(name, tx->pool)
               ? claim
               : NULL;
}

/* One claim, in one place; asked for in words unless the scopes release it. */
static void ask(oas_tx_t *tx, const oas_claim_t *claim, json_t *names)
{
    json_array_append_new(names, json_string(claim->name));
    if (claim->scope != NULL && !oas_words_has(tx->scopes, claim->scope)) {
        oas_words_add(tx->permissions, apr_pstrcat(tx->pool, OAS_CLAIM_WORD, claim->name, NULL));
    }
}

/* The strings of `value` or `values`; NULL when neither is there. */
static oas_outcome_t wanted_values(oas_tx_t *tx, const json_t *wish, oas_words_t **out)
{
    const json_t *one = json_object_get(wish, "value");
    const json_t *list = json_object_get(wish, "values");
    const json_t *entry;
    size_t i;

    *out = NULL;
    if (one == NULL && list == NULL) {
        return OAS_NEXT;
    }
    if ((one != NULL && !json_is_string(one)) || (list != NULL && !json_is_array(list))) {
        return oas_refuse(tx, OAS_TAG(00941), OAS_E_CLAIMS, "value is no string, values no array");
    }
    *out = oas_words_create(tx->pool);
    if (one != NULL) {
        oas_words_add(*out, json_string_value(one));
    }
    json_array_foreach(list, i, entry)
    {
        if (!json_is_string(entry)) {
            return oas_refuse(tx, OAS_TAG(00942), OAS_E_CLAIMS, "values are no strings");
        }
        if (i < OAS_WORDS_MAX) {
            oas_words_add(*out, json_string_value(entry));
        }
    }
    if ((*out)->nelts == 0) { /* "values": [] asks nothing */
        *out = NULL;
    }
    return OAS_NEXT;
}

/* What id_token asks of claims that we make ourselves. */
static oas_outcome_t take_protocol_claims(oas_tx_t *tx, const json_t *id_token)
{
    const json_t *acr = json_object_get(id_token, "acr");

    if (wanted_values(tx, json_object_get(id_token, "sub"), &tx->expected_subs) != OAS_NEXT ||
        wanted_values(tx, acr, &tx->acr_values) != OAS_NEXT) {
        return OAS_FAILED;
    }
    tx->acr_essential = tx->acr_values != NULL && json_is_true(json_object_get(acr, "essential"));
    return OAS_NEXT;
}

static oas_outcome_t take_member(oas_tx_t *tx, const json_t *request, const char *member)
{
    json_t *wishes = json_object_get(request, member);
    json_t *names = json_array();
    const char *name;
    json_t *wish;

    json_object_set_new(tx->claims_request, member, names);
    if (wishes != NULL && !json_is_object(wishes) && !json_is_null(wishes)) {
        return oas_refuse(tx, OAS_TAG(00943), OAS_E_CLAIMS, "a member is no object");
    }
    json_object_foreach(wishes, name, wish)
    {
        const oas_claim_t *claim = releasable(tx, name);

        if (!json_is_object(wish) && !json_is_null(wish)) {
            return oas_refuse(tx, OAS_TAG(00944), OAS_E_CLAIMS, "a claim is no object");
        }
        if (claim != NULL) {
            ask(tx, claim, names);
        }
    }
    if (json_array_size(names) == 0) {
        json_object_del(tx->claims_request, member);
    }
    return OAS_NEXT;
}

static oas_outcome_t take_request(oas_tx_t *tx, const json_t *request)
{
    apr_size_t i;

    tx->claims_request = oas_json_object(tx->pool);
    for (i = 0; i < MEMBERS; i++) {
        if (take_member(tx, request, members[i]) != OAS_NEXT) {
            return OAS_FAILED;
        }
    }
    if (json_object_size(tx->claims_request) == 0) {
        tx->claims_request = NULL;
    }
    return take_protocol_claims(tx, json_object_get(request, "id_token"));
}

oas_outcome_t oas_check_claims(oas_tx_t *tx)
{
    const char *text = oas_params_get(tx->params, "claims");
    json_t *request;

    tx->permissions = apr_array_copy(tx->pool, tx->scopes);
    if (text == NULL || !oas_words_has(tx->scopes, "openid")) {
        return OAS_NEXT;
    }
    if (oas_json_parse(&request, text, strlen(text), OAS_CLAIMS_REQUEST_MAX, tx->pool) !=
            APR_SUCCESS ||
        !json_is_object(request)) {
        return oas_refuse(tx, OAS_TAG(00945), OAS_E_CLAIMS, "no JSON object");
    }
    return take_request(tx, request);
}
