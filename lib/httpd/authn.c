/* SPDX-License-Identifier: Apache-2.0 */
#include "authn.h"

#include <string.h>
#include <strings.h>
#include <ap_provider.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <mod_auth.h>
#include "../base/json.h"
#include "../base/words.h"
#include "../login/builtin.h"
#include "database.h"
#include "request.h"

#define PROVIDER_NAME "oauth2as"

/** What a provider said of somebody must not be left for the next: some export even for a wrong
 * password. */
static void forget_attributes(request_rec *r)
{
    const apr_array_header_t *list = apr_table_elts(r->subprocess_env);
    apr_array_header_t *names = apr_array_make(r->pool, 4, sizeof(const char *));
    int i;

    for (i = 0; i < list->nelts; i++) {
        const char *name = APR_ARRAY_IDX(list, i, apr_table_entry_t).key;
        if (strncasecmp(name, AUTHN_PREFIX, strlen(AUTHN_PREFIX)) == 0) {
            APR_ARRAY_PUSH(names, const char *) = name;
        }
    }
    for (i = 0; i < names->nelts; i++) {
        apr_table_unset(r->subprocess_env, APR_ARRAY_IDX(names, i, const char *));
    }
}

/**
 * The request whose per-directory configuration counts: that of the authorize endpoint, wherever
 * the password came in.
 */
static request_rec *login_request(oas_tx_t *tx)
{
    request_rec *r = tx->host_baton;
    oas_request_state_t *state = oas_request_state(r);

    if (state->login_r == NULL) {
        state->login_r =
            tx->endpoint == OAS_EP_AUTHORIZE
                ? r
                : ap_sub_req_lookup_uri(tx->issuer->endpoint_paths[OAS_EP_AUTHORIZE], r, NULL);
    }
    return state->login_r;
}

/** 1 for providers that may take a connection of mod_dbd: all but those known not to. */
static int may_use_database(const char *provider)
{
    static const char *const others[] = {PROVIDER_NAME, "file", "ldap", "dbm", "anon"};
    apr_size_t i;

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strcmp(others[i], provider) == 0) {
            return 0;
        }
    }
    return 1;
}

static oas_password_result_t result_of(request_rec *r, authn_status status)
{
    if (oas_request_state(r)->busy) {
        return OAS_PASSWORD_BUSY;
    }
    switch (status) {
    case AUTH_GRANTED:
        return OAS_PASSWORD_GRANTED;
    case AUTH_DENIED:
        return OAS_PASSWORD_DENIED;
    case AUTH_USER_NOT_FOUND:
        return OAS_PASSWORD_UNKNOWN;
    default:
        return OAS_PASSWORD_UNAVAILABLE;
    }
}

oas_password_result_t oas_authn_check(oas_tx_t *tx, const char *provider, const char *user,
                                      const char *password, oas_identity_t *identity)
{
    const authn_provider *entry =
        ap_lookup_provider(AUTHN_PROVIDER_GROUP, provider, AUTHN_PROVIDER_VERSION);
    request_rec *r = login_request(tx);
    char *user_before = r->user;
    authn_status status;

    if (entry == NULL || entry->check_password == NULL) {
        return OAS_PASSWORD_UNAVAILABLE;
    }
    oas_request_state(tx->host_baton)->share_connection |= may_use_database(provider);
    forget_attributes(r);
    r->user = apr_pstrdup(r->pool, user);
    oas_request_state(r)->proof = NULL;
    oas_request_state(r)->busy = 0;
    /* an <AuthnProviderAlias> finds itself by this note, as under mod_auth_basic */
    apr_table_setn(r->notes, AUTHN_PROVIDER_NAME_NOTE, provider);
    status = entry->check_password(r, user, password);
    apr_table_unset(r->notes, AUTHN_PROVIDER_NAME_NOTE);
    if (status != AUTH_GRANTED) {
        forget_attributes(r);
        r->user = user_before;
        return result_of(r, status);
    }
    identity->provider = provider;
    identity->name = r->user != NULL && *r->user != '\0' ? r->user : user;
    identity->proof = oas_request_state(r)->proof;
    identity->ignores_case = oas_words_has(oas_server_config(r->server)->caseless, provider);
    return OAS_PASSWORD_GRANTED;
}

/** One claim as text: strings as they are, anything else as JSON. */
static const char *claim_text(const json_t *value, apr_pool_t *pool)
{
    if (json_is_string(value)) {
        return json_string_value(value);
    }
    if (json_is_boolean(value)) {
        return json_is_true(value) ? "true" : "false";
    }
    if (json_is_integer(value)) {
        return apr_psprintf(pool, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    }
    return json_is_object(value) || json_is_array(value) ? oas_json_text(pool, value) : NULL;
}

static void export_claims(request_rec *r, const json_t *claims)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)claims, name, value)
    {
        char *variable = apr_pstrcat(r->pool, AUTHN_PREFIX, name, NULL);
        const char *text = claim_text(value, r->pool);
        char *p;

        for (p = variable; *p != '\0'; p++) {
            *p = apr_isalnum(*p) ? (char)apr_toupper(*p) : '_';
        }
        if (text != NULL) {
            apr_table_set(r->subprocess_env, variable, text);
        }
    }
}

static authn_status check_builtin(request_rec *r, const char *user, const char *password)
{
    const oas_server_config_t *config = oas_server_config(r->server);
    const oas_builtin_t how = {config->hasher, config->issuer.password_cost};
    oas_builtin_user_t found = {0};

    if (oas_request_claimed(r) ==
        NULL) { /* under AuthBasicProvider, perhaps behind mod_authn_dbd */
        oas_request_state(r)->share_connection = 1;
    }
    switch (oas_builtin_check(oas_request_db(r), &how, user, password, &found, r->pool)) {
    case OAS_PASSWORD_GRANTED:
        export_claims(r, found.claims);
        r->user = apr_pstrdup(r->pool, found.name);
        oas_request_state(r)->proof = found.proof;
        return AUTH_GRANTED;
    case OAS_PASSWORD_DENIED:
        return AUTH_DENIED;
    case OAS_PASSWORD_UNKNOWN:
        return AUTH_USER_NOT_FOUND;
    case OAS_PASSWORD_BUSY:
        oas_request_state(r)->busy = 1;
        break;
    case OAS_PASSWORD_UNAVAILABLE:
        break;
    }
    return AUTH_GENERAL_ERROR;
}

void oas_authn_register(apr_pool_t *pool)
{
    static const authn_provider provider = {check_builtin, NULL};

    ap_register_provider(pool, AUTHN_PROVIDER_GROUP, PROVIDER_NAME, AUTHN_PROVIDER_VERSION,
                         &provider);
}
