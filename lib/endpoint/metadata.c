/* SPDX-License-Identifier: Apache-2.0 */
#include "metadata.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/json.h"
#include "../jose/jws.h"
#include "../issue/keyring.h"
#include "../jose/keyset.h"

static const struct {
    const char *member;
    oas_endpoint_id_t endpoint;
} urls[] = {
    {"authorization_endpoint", OAS_EP_AUTHORIZE},  {"token_endpoint", OAS_EP_TOKEN},
    {"userinfo_endpoint", OAS_EP_USERINFO},        {"revocation_endpoint", OAS_EP_REVOKE},
    {"introspection_endpoint", OAS_EP_INTROSPECT}, {"jwks_uri", OAS_EP_JWKS},
    {"end_session_endpoint", OAS_EP_LOGOUT},
};

static const struct {
    const char *member;
    const char *values; /* space-delimited */
} lists[] = {
    {"subject_types_supported", "public pairwise"},
    {"code_challenge_methods_supported", "S256"},
    {"prompt_values_supported", "none login consent select_account create"},
    {"claim_types_supported", "normal"},
    {"display_values_supported", "page popup touch wap"},
};

static const struct {
    const char *member;
    int value;
} flags[] = {
    {"authorization_response_iss_parameter_supported", 1},
    {"backchannel_logout_supported", 1},
    {"backchannel_logout_session_supported", 1},
    {"frontchannel_logout_supported", 1},
    {"frontchannel_logout_session_supported", 1},
    {"claims_parameter_supported", 1},
    {"request_parameter_supported", 0},
    {"request_uri_parameter_supported", 0},
};

static json_t *words_json(const oas_words_t *words)
{
    json_t *array = json_array();
    int i;

    for (i = 0; i < words->nelts; i++) {
        json_array_append_new(array, json_string(OAS_WORD(words, i)));
    }
    return array;
}

/* Those that share a bit with `bits`. */
static json_t *names_json(const oas_name_bit_t *names, unsigned bits)
{
    json_t *array = json_array();

    for (; names->name != NULL; names++) {
        if (names->bit & bits) {
            json_array_append_new(array, json_string(names->name));
        }
    }
    return array;
}

/** What clients of the configuration use. Not every client is there: others come from the
 * database. */
typedef struct {
    unsigned response_types, auth_methods;
    int bound_tokens;
} usage_t;

static usage_t usage_of(const oas_issuer_t *issuer, apr_pool_t *pool)
{
    usage_t usage = {OAS_RESPONSE_CODE, 0, 0};
    apr_hash_index_t *hi;

    for (hi = apr_hash_first(pool, issuer->clients); hi != NULL; hi = apr_hash_next(hi)) {
        const oas_client_t *client = apr_hash_this_val(hi);

        usage.response_types |= client->response_types;
        usage.auth_methods |= client->auth_methods;
        usage.bound_tokens |= client->bound_tokens;
    }
    return usage;
}

/* Methods that any client may have; the others need something of the administrator (certificates,
 * secrets that can be read) and are announced where a client uses them. */
#define STANDARD_METHODS                                                                           \
    (OAS_AUTH_NONE | OAS_AUTH_SECRET_BASIC | OAS_AUTH_SECRET_POST | OAS_AUTH_PRIVATE_KEY_JWT)

/* How clients may authenticate at each endpoint where they do (RFC 8414 section 2). */
static const struct {
    const char *methods_member, *algs_member;
    oas_endpoint_id_t endpoint;
    unsigned methods; /* OAS_AUTH_ bits */
} authenticated[] = {
    {"token_endpoint_auth_methods_supported", "token_endpoint_auth_signing_alg_values_supported",
     OAS_EP_TOKEN, ~0u},
    {"revocation_endpoint_auth_methods_supported",
     "revocation_endpoint_auth_signing_alg_values_supported", OAS_EP_REVOKE, ~0u},
    {"introspection_endpoint_auth_methods_supported",
     "introspection_endpoint_auth_signing_alg_values_supported", OAS_EP_INTROSPECT,
     ~(unsigned)OAS_AUTH_NONE},
};

/* What an assertion may be signed with (check/assertion.h). */
static json_t *assertion_algs(const usage_t *usage)
{
    json_t *array = json_array();
    const oas_alg_t *alg;
    int i;

    for (i = 0; (alg = oas_alg_at(i)) != NULL; i++) {
        json_array_append_new(array, json_string(oas_alg_name(alg)));
    }
    json_array_append_new(array, json_string("Ed25519")); /* EdDSA by its curve */
    if (usage->auth_methods & OAS_AUTH_SECRET_JWT) {
        json_array_append_new(array, json_string(OAS_HMAC_ALG));
    }
    return array;
}

static void add_auth_methods(const oas_issuer_t *issuer, const usage_t *usage, json_t *data)
{
    unsigned methods = STANDARD_METHODS | usage->auth_methods;
    apr_size_t i;

    for (i = 0; i < sizeof(authenticated) / sizeof(authenticated[0]); i++) {
        if (issuer->endpoint_urls[authenticated[i].endpoint] != NULL) {
            json_object_set_new(
                data, authenticated[i].methods_member,
                names_json(oas_auth_method_names, methods & authenticated[i].methods));
            json_object_set_new(data, authenticated[i].algs_member, assertion_algs(usage));
        }
    }
}

/* RFC 8705 sections 3.3 and 5. */
static void add_mutual_tls(const oas_issuer_t *issuer, const usage_t *usage, json_t *data)
{
    int with_certificates =
        issuer->mtls_url != NULL || usage->bound_tokens || (usage->auth_methods & OAS_AUTH_ANY_TLS);
    json_t *aliases = json_object();
    apr_size_t i;

    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        oas_json_set(aliases, urls[i].member, issuer->mtls_urls[urls[i].endpoint]);
    }
    if (json_object_size(aliases) > 0) {
        json_object_set(data, "mtls_endpoint_aliases", aliases);
    }
    json_decref(aliases);
    json_object_set_new(data, "tls_client_certificate_bound_access_tokens",
                        json_boolean(with_certificates));
}

/* What is off unless a client has it is announced only where one does. */
static void add_responses(const oas_issuer_t *issuer, const usage_t *usage, json_t *data)
{
    unsigned used = usage->response_types;
    json_t *grants = names_json(oas_grant_type_names, oas_issuer_grants(issuer));
    json_t *modes = json_pack("[sss]", "query", "fragment", "form_post");

    if (used != OAS_RESPONSE_CODE) { /* RFC 7591 section 2.1 */
        json_array_append_new(grants, json_string("implicit"));
    }
    if (issuer->web_message) {
        json_array_append_new(modes, json_string("web_message"));
    }
    json_object_set_new(data, "response_types_supported",
                        names_json(oas_response_type_names, used));
    json_object_set_new(data, "response_modes_supported", modes);
    json_object_set_new(data, "grant_types_supported", grants);
}

static oas_words_t *supported_scopes(const oas_issuer_t *issuer, apr_pool_t *pool)
{
    oas_words_t *scopes;
    apr_hash_index_t *hi;

    oas_words_parse(&scopes, "openid profile email address phone offline_access", pool);
    for (hi = apr_hash_first(pool, issuer->resources); hi != NULL; hi = apr_hash_next(hi)) {
        const oas_resource_t *resource = apr_hash_this_val(hi);
        int i;

        for (i = 0; i < resource->scopes->nelts; i++) {
            oas_words_add(scopes, APR_ARRAY_IDX(resource->scopes, i, oas_scope_t).name);
        }
    }
    return scopes;
}

static oas_words_t *supported_claims(const oas_issuer_t *issuer, const usage_t *usage,
                                     apr_pool_t *pool)
{
    oas_words_t *claims;
    int i;

    oas_words_parse(&claims, "iss sub aud exp iat auth_time nonce azp acr amr sid at_hash", pool);
    if (usage->response_types != OAS_RESPONSE_CODE) { /* of ID tokens that come by the browser */
        oas_words_add(claims, "c_hash");
        oas_words_add(claims, "s_hash");
    }
    for (i = 0; i < issuer->claims->nelts; i++) {
        oas_words_add(claims, APR_ARRAY_IDX(issuer->claims, i, oas_claim_t).name);
    }
    return claims;
}

/* What the ways to sign in reach (OIDC Core section 2). */
static oas_words_t *supported_acrs(const oas_issuer_t *issuer, apr_pool_t *pool)
{
    oas_words_t *acrs = oas_words_create(pool);
    int i;

    for (i = 0; i < issuer->login_options->nelts; i++) {
        const char *acr = APR_ARRAY_IDX(issuer->login_options, i, oas_login_option_t).acr;
        if (acr != NULL) {
            oas_words_add(acrs, acr);
        }
    }
    return acrs;
}

static json_t *metadata(const oas_issuer_t *issuer, apr_pool_t *pool)
{
    const usage_t usage = usage_of(issuer, pool);
    json_t *data = oas_json_object(pool);
    oas_words_t *words;
    apr_size_t i;

    oas_json_set(data, "issuer", issuer->url);
    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        oas_json_set(data, urls[i].member, issuer->endpoint_urls[urls[i].endpoint]);
    }
    add_responses(issuer, &usage, data);
    add_auth_methods(issuer, &usage, data);
    add_mutual_tls(issuer, &usage, data);
    json_object_set_new(data, "id_token_signing_alg_values_supported",
                        words_json(oas_issuer_algs(issuer, pool)));
    json_object_set_new(data, "scopes_supported", words_json(supported_scopes(issuer, pool)));
    json_object_set_new(data, "claims_supported",
                        words_json(supported_claims(issuer, &usage, pool)));
    json_object_set_new(data, "ui_locales_supported", words_json(issuer->languages));
    words = supported_acrs(issuer, pool);
    if (words->nelts > 0) {
        json_object_set_new(data, "acr_values_supported", words_json(words));
    }
    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        oas_words_parse(&words, lists[i].values, pool);
        json_object_set_new(data, lists[i].member, words_json(words));
    }
    for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        json_object_set_new(data, flags[i].member, json_boolean(flags[i].value));
    }
    return data;
}

apr_status_t oas_issuer_finish(oas_issuer_t *issuer, apr_pool_t *pool)
{
    issuer->metadata_json = oas_json_text(pool, metadata(issuer, pool));
    if (issuer->metadata_json == NULL) {
        return APR_EGENERAL;
    }
    issuer->metadata_etag = oas_etag(issuer->metadata_json, pool);
    issuer->jwks_max_age = apr_psprintf(pool, "public, max-age=%" APR_TIME_T_FMT,
                                        apr_time_sec(issuer->lifetimes[OAS_LIFETIME_JWKS]));
    return oas_keyset_publish(issuer->signing.keys);
}
