/* SPDX-License-Identifier: Apache-2.0 */
#include "client_json.h"

#include <string.h>
#include "../base/bytes.h"
#include "../base/json.h"
#include "client.h"

const oas_string_member_t oas_client_strings[] = {
    {"client_id", offsetof(oas_client_t, client_id), 1},
    {"client_name", offsetof(oas_client_t, name), 1},
    {"logo_uri", offsetof(oas_client_t, logo_uri), 0},
    {"client_uri", offsetof(oas_client_t, client_uri), 0},
    {"policy_uri", offsetof(oas_client_t, policy_uri), 0},
    {"tos_uri", offsetof(oas_client_t, tos_uri), 0},
    {"id_token_signed_response_alg", offsetof(oas_client_t, id_token_alg), 1},
    {"jwks_uri", offsetof(oas_client_t, jwks_uri), 0},
    {"sector", offsetof(oas_client_t, sector), 0},
    {"backchannel_logout_uri", offsetof(oas_client_t, backchannel_logout_uri), 0},
    {"frontchannel_logout_uri", offsetof(oas_client_t, frontchannel_logout_uri), 0},
    {NULL, 0, 0},
};

const oas_uris_member_t oas_client_uri_lists[] = {
    {"redirect_uris", offsetof(oas_client_t, redirect_uris)},
    {"web_origins", offsetof(oas_client_t, web_origins)},
    {"post_logout_redirect_uris", offsetof(oas_client_t, post_logout_redirect_uris)},
    {NULL, 0},
};

const oas_bits_member_t oas_client_bit_sets[] = {
    {"token_endpoint_auth_methods", oas_auth_method_names, offsetof(oas_client_t, auth_methods)},
    {"grant_types", oas_grant_type_names, offsetof(oas_client_t, grant_types)},
    {"response_types", oas_response_type_names, offsetof(oas_client_t, response_types)},
    {NULL, NULL, 0},
};

const oas_flag_member_t oas_client_flags[] = {
    {"first_party", offsetof(oas_client_t, first_party), 0},
    {"require_pkce", offsetof(oas_client_t, require_pkce), 1},
    {"rotation", offsetof(oas_client_t, rotation), 1},
    {"tls_client_certificate_bound_access_tokens", offsetof(oas_client_t, bound_tokens), 0},
    {"web_message", offsetof(oas_client_t, web_message), 0},
    {"query_token", offsetof(oas_client_t, query_token), 0},
    {"forwarded_for", offsetof(oas_client_t, forwarded_for), 0},
    {NULL, 0, 0},
};

static json_t *words_to_json(const oas_words_t *words)
{
    json_t *list = json_array();
    int i;

    for (i = 0; words && i < words->nelts; i++)
        json_array_append_new(list, json_string(OAS_WORD(words, i)));
    return list;
}

static json_t *bits_to_json(const oas_name_bit_t *table, unsigned bits)
{
    json_t *list = json_array();

    if (table == oas_auth_method_names)
        bits &= ~(unsigned)OAS_AUTH_LOCAL;
    for (; table->name; table++) {
        if (bits & table->bit)
            json_array_append_new(list, json_string(table->name));
    }
    return list;
}

static json_t *secrets_to_json(const apr_array_header_t *secrets, apr_pool_t *pool)
{
    json_t *list = json_array();
    int i;

    for (i = 0; secrets && i < secrets->nelts; i++) {
        const oas_client_secret_t *secret = &APR_ARRAY_IDX(secrets, i, oas_client_secret_t);

        json_array_append_new(list,
                              json_string(oas_hex_encode(pool, secret->sha256, OAS_SHA256_LEN)));
    }
    return list;
}

static json_t *allow_to_json(const apr_array_header_t *allow)
{
    json_t *list = json_array();
    int i;

    for (i = 0; allow && i < allow->nelts; i++) {
        const oas_allow_t *row = &APR_ARRAY_IDX(allow, i, oas_allow_t);
        json_t *entry = json_object();

        oas_json_set(entry, "resource", row->resource);
        if (row->all)
            json_object_set_new(entry, "all", json_true());
        else
            json_object_set_new(entry, "scopes", words_to_json(row->scopes));
        json_array_append_new(list, entry);
    }
    return list;
}

static json_t *lifetimes_to_json(const apr_interval_time_t *lifetimes)
{
    json_t *object = json_object();
    int i;

    for (i = 0; i < OAS_LIFETIME_COUNT; i++) {
        if (lifetimes[i] != OAS_LIFETIME_UNSET)
            json_object_set_new(object, oas_lifetime_names[i],
                                json_integer(apr_time_as_msec(lifetimes[i])));
    }
    return object;
}

/* RFC 8705 section 2.1.2; a self-signed one is known by the method alone */
static void certificate_to_json(const oas_client_t *client, json_t *json)
{
    if (client->certificate == OAS_CERTIFICATE_SUBJECT)
        oas_json_set(json, "tls_client_auth_subject_dn", client->certificate_value);
    if (client->certificate == OAS_CERTIFICATE_SAN_DNS)
        oas_json_set(json, "tls_client_auth_san_dns", client->certificate_value);
}

static void refresh_to_json(const oas_client_t *client, json_t *json)
{
    if (client->reuse_window == OAS_WINDOW_UNTIL_USED)
        oas_json_set(json, "refresh_reuse_window", OAS_UNTIL_USED);
    else if (client->reuse_window != OAS_WINDOW_UNSET)
        json_object_set_new(json, "refresh_reuse_window",
                            json_integer(apr_time_as_msec(client->reuse_window)));
}

static apr_status_t keys_to_json(const oas_client_t *client, json_t *json, apr_pool_t *pool)
{
    json_t *set;

    if (!client->jwks_json)
        return APR_SUCCESS;
    if (oas_json_parse(&set, client->jwks_json, strlen(client->jwks_json), OAS_CLIENT_METADATA_MAX,
                       pool) != APR_SUCCESS)
        return APR_EINVAL;
    return json_object_set(json, "jwks", set) == 0 ? APR_SUCCESS : APR_ENOMEM;
}

char *oas_client_to_json(const oas_client_t *client, apr_pool_t *pool)
{
    json_t *json = oas_json_object(pool);
    const oas_string_member_t *string;
    const oas_uris_member_t *list;
    const oas_bits_member_t *set;
    const oas_flag_member_t *flag;

    for (string = oas_client_strings; string->name; string++)
        oas_json_set(json, string->name, OAS_MEMBER(client, string, const char *const));
    oas_json_set(json, "client_type", oas_client_type_names[client->type]);
    for (list = oas_client_uri_lists; list->name; list++)
        json_object_set_new(json, list->name,
                            words_to_json(OAS_MEMBER(client, list, oas_words_t *const)));
    json_object_set_new(json, "client_secret_sha256", secrets_to_json(client->secrets, pool));
    for (set = oas_client_bit_sets; set->name; set++)
        json_object_set_new(json, set->name,
                            bits_to_json(set->table, OAS_MEMBER(client, set, const unsigned)));
    json_object_set_new(json, "allow", allow_to_json(client->allow));
    for (flag = oas_client_flags; flag->name; flag++)
        json_object_set_new(json, flag->name, json_boolean(OAS_MEMBER(client, flag, const int)));
    oas_json_set(json, "subject_type", client->sector ? "pairwise" : "public");
    if (client->required_acr)
        json_object_set_new(json, "required_acr", words_to_json(client->required_acr));
    json_object_set_new(json, "lifetimes_ms", lifetimes_to_json(client->lifetimes));
    if (client->assertion_audience != OAS_ASSERTION_ANY)
        oas_json_set(json, "assertion_audience",
                     oas_assertion_audience_names[client->assertion_audience]);
    certificate_to_json(client, json);
    refresh_to_json(client, json);
    return keys_to_json(client, json, pool) == APR_SUCCESS ? oas_json_text(pool, json) : NULL;
}
