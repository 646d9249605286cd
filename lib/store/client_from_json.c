/* SPDX-License-Identifier: Apache-2.0 */
#include "client_json.h"

#include <string.h>
#include "../base/bytes.h"
#include "../base/client_rules.h"
#include "../base/json.h"
#include "../base/subject.h"
#include "../base/uri.h"
#include "client.h"

#define SECRETS_MAX  2
#define LIFETIME_MAX 3153600000000LL /* milliseconds: 100 years */
#define WINDOW_MAX   3600000 /* milliseconds: as long as OAuth2ASRefreshReuseWindow may be */

/* A list of strings; an absent one is empty. NULL: something else. */
static oas_words_t *words_from_json(const json_t *list, apr_pool_t *pool)
{
    oas_words_t *words = oas_words_create(pool);
    const json_t *entry;
    size_t i;

    if (!list)
        return words;
    if (!json_is_array(list) || json_array_size(list) > OAS_WORDS_MAX)
        return NULL;
    json_array_foreach(list, i, entry)
    {
        const char *text = json_string_value(entry);

        if (!text || !*text)
            return NULL;
        oas_words_add(words, text);
    }
    return words;
}

static apr_status_t uris_from_json(oas_words_t **out, const json_t *list, apr_pool_t *pool)
{
    oas_uri_t uri;
    int i;

    *out = words_from_json(list, pool);
    for (i = 0; *out && i < (*out)->nelts; i++) {
        if (oas_uri_parse(&uri, OAS_WORD(*out, i), pool) != APR_SUCCESS || uri.fragment)
            return APR_EINVAL;
    }
    return *out ? APR_SUCCESS : APR_EINVAL;
}

static apr_status_t bits_from_json(unsigned *out, const oas_name_bit_t *table, const json_t *list)
{
    const json_t *entry;
    size_t i;

    *out = 0;
    if (!json_is_array(list))
        return APR_EINVAL;
    json_array_foreach(list, i, entry)
    {
        const char *text = json_string_value(entry);
        unsigned bit = text ? oas_name_bit(table, text) : 0;

        if (!bit)
            return APR_EINVAL;
        *out |= bit;
    }
    return APR_SUCCESS;
}

static apr_status_t secrets_from_json(apr_array_header_t **out, const json_t *list,
                                      apr_pool_t *pool)
{
    const json_t *entry;
    size_t i;

    *out = apr_array_make(pool, SECRETS_MAX, sizeof(oas_client_secret_t));
    if (list && (!json_is_array(list) || json_array_size(list) > SECRETS_MAX))
        return APR_EINVAL;
    json_array_foreach(list, i, entry)
    {
        const char *text = json_string_value(entry);
        oas_client_secret_t *secret = apr_array_push(*out);

        if (!text || strlen(text) != 2 * OAS_SHA256_LEN ||
            oas_hex_decode(text, secret->sha256, OAS_SHA256_LEN) != APR_SUCCESS)
            return APR_EINVAL;
    }
    return APR_SUCCESS;
}

static apr_status_t allow_from_json(apr_array_header_t **out, const json_t *list, apr_pool_t *pool)
{
    const json_t *entry;
    size_t i;

    *out = apr_array_make(pool, 2, sizeof(oas_allow_t));
    if (list && !json_is_array(list))
        return APR_EINVAL;
    json_array_foreach(list, i, entry)
    {
        oas_allow_t *row = apr_array_push(*out);

        row->resource = oas_json_string(entry, "resource");
        row->all = json_is_true(json_object_get(entry, "all"));
        row->scopes = words_from_json(json_object_get(entry, "scopes"), pool);
        if (!row->resource || !row->scopes)
            return APR_EINVAL;
    }
    return APR_SUCCESS;
}

static apr_status_t lifetimes_from_json(apr_interval_time_t *out, const json_t *object)
{
    int i;

    if (object && !json_is_object(object))
        return APR_EINVAL;
    for (i = 0; i < OAS_LIFETIME_COUNT; i++) {
        const json_t *value = json_object_get(object, oas_lifetime_names[i]);
        json_int_t ms = json_integer_value(value);

        out[i] = OAS_LIFETIME_UNSET;
        if (!value)
            continue;
        if (!json_is_integer(value) || ms <= 0 || ms > LIFETIME_MAX)
            return APR_EINVAL;
        out[i] = apr_time_from_msec(ms);
    }
    return APR_SUCCESS;
}

static apr_status_t strings_from_json(oas_client_t *client, const json_t *json, const char **wrong)
{
    const oas_string_member_t *row;

    for (row = oas_client_strings; row->name; row++) {
        const json_t *value = json_object_get(json, row->name);
        const char *text = json_string_value(value);

        *wrong = row->name;
        if ((value && !text) || (row->required && (!text || !*text)))
            return APR_EINVAL;
        OAS_MEMBER(client, row, const char *) = text;
    }
    *wrong = "client_id";
    return oas_client_id_valid(client->client_id) ? APR_SUCCESS : APR_EINVAL;
}

/* Only the explicit other value takes away what an absent one means. */
static void flags_from_json(oas_client_t *client, const json_t *json)
{
    const oas_flag_member_t *row;

    for (row = oas_client_flags; row->name; row++) {
        const json_t *value = json_object_get(json, row->name);

        OAS_MEMBER(client, row, int) = row->absent ? !json_is_false(value) : json_is_true(value);
    }
}

/* The place of `name` in a list that ends with NULL. */
static apr_status_t choice_from_json(unsigned *out, const char *const *names, const char *name)
{
    unsigned i;

    for (i = 0; name && names[i]; i++) {
        if (!strcmp(names[i], name)) {
            *out = i;
            return APR_SUCCESS;
        }
    }
    return APR_EINVAL;
}

static apr_status_t choices_from_json(oas_client_t *client, const json_t *json, apr_pool_t *pool)
{
    const json_t *audience = json_object_get(json, "assertion_audience");
    unsigned type, kind = OAS_ASSERTION_ANY;

    if (choice_from_json(&type, oas_client_type_names, oas_json_string(json, "client_type")) ||
        (audience &&
         choice_from_json(&kind, oas_assertion_audience_names, json_string_value(audience))))
        return APR_EINVAL;
    client->type = (oas_client_type_t)type;
    client->assertion_audience = (oas_assertion_audience_t)kind;
    return APR_SUCCESS;
}

static apr_status_t keys_from_json(oas_client_t *client, const json_t *json, apr_pool_t *pool)
{
    const json_t *set = json_object_get(json, "jwks");

    if (set) {
        if (!json_is_array(json_object_get(set, "keys")))
            return APR_EINVAL;
        client->jwks_json = oas_json_text(pool, set);
    }
    return APR_SUCCESS;
}

/* Where httpd will send requests, or browsers. */
static apr_status_t check_fetchable(oas_client_t *client, const json_t *json, apr_pool_t *pool)
{
    const char *const urls[] = {client->jwks_uri, client->backchannel_logout_uri,
                                client->frontchannel_logout_uri};
    apr_size_t i;

    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        if (urls[i] && !oas_uri_fetchable(urls[i], pool))
            return APR_EINVAL;
    }
    return APR_SUCCESS;
}

/* Behind the methods, which say whether the certificate is self-signed. */
static apr_status_t certificate_from_json(oas_client_t *client, const json_t *json,
                                          apr_pool_t *pool)
{
    static const struct {
        const char *name;
        oas_certificate_kind_t kind;
    } rules[] = {{"tls_client_auth_subject_dn", OAS_CERTIFICATE_SUBJECT},
                 {"tls_client_auth_san_dns", OAS_CERTIFICATE_SAN_DNS}};
    apr_size_t i;

    if (client->auth_methods & OAS_AUTH_SELF_SIGNED_TLS)
        client->certificate = OAS_CERTIFICATE_SELF_SIGNED;
    for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        const json_t *value = json_object_get(json, rules[i].name);
        const char *text = json_string_value(value);

        if (!value)
            continue;
        if (!text || !*text || client->certificate != OAS_CERTIFICATE_NONE)
            return APR_EINVAL;
        client->certificate = rules[i].kind;
        client->certificate_value = text;
    }
    return APR_SUCCESS;
}

static apr_status_t window_from_json(apr_interval_time_t *out, const json_t *value)
{
    json_int_t ms = json_integer_value(value);

    *out = OAS_WINDOW_UNSET;
    if (!value)
        return APR_SUCCESS;
    if (json_is_string(value)) {
        *out = OAS_WINDOW_UNTIL_USED;
        return strcmp(json_string_value(value), OAS_UNTIL_USED) ? APR_EINVAL : APR_SUCCESS;
    }
    if (!json_is_integer(value) || ms < 0 || ms > WINDOW_MAX)
        return APR_EINVAL;
    *out = apr_time_from_msec(ms);
    return APR_SUCCESS;
}

/* OIDC Registration section 2. A sector is a host, so that no document has to be fetched for it. */
static apr_status_t subject_from_json(oas_client_t *client, const json_t *json, apr_pool_t *pool)
{
    const char *type = oas_json_string(json, "subject_type");
    int pairwise = type && !strcmp(type, "pairwise");

    if (client->sector && !oas_sector_valid(client->sector))
        return APR_EINVAL;
    return pairwise == (client->sector != NULL) && (!type || pairwise || !strcmp(type, "public"))
               ? APR_SUCCESS
               : APR_EINVAL;
}

static apr_status_t acr_from_json(oas_client_t *client, const json_t *json, apr_pool_t *pool)
{
    const json_t *list = json_object_get(json, "required_acr");

    if (!list)
        return APR_SUCCESS;
    client->required_acr = words_from_json(list, pool);
    return client->required_acr && client->required_acr->nelts > 0 ? APR_SUCCESS : APR_EINVAL;
}

static apr_status_t lists_from_json(oas_client_t *client, const json_t *json, const char **wrong,
                                    apr_pool_t *pool)
{
    const oas_uris_member_t *list;
    const oas_bits_member_t *row;

    for (list = oas_client_uri_lists; list->name; list++) {
        *wrong = list->name;
        if (uris_from_json(&OAS_MEMBER(client, list, oas_words_t *),
                           json_object_get(json, list->name), pool))
            return APR_EINVAL;
    }
    for (row = oas_client_bit_sets; row->name; row++) {
        *wrong = row->name;
        if (bits_from_json(&OAS_MEMBER(client, row, unsigned), row->table,
                           json_object_get(json, row->name)))
            return APR_EINVAL;
    }
    client->auth_methods &= ~(unsigned)OAS_AUTH_LOCAL;
    return APR_SUCCESS;
}

static apr_status_t secret_list(oas_client_t *client, const json_t *json, apr_pool_t *pool)
{
    return secrets_from_json(&client->secrets, json_object_get(json, "client_secret_sha256"), pool);
}

static apr_status_t allow_list(oas_client_t *client, const json_t *json, apr_pool_t *pool)
{
    return allow_from_json(&client->allow, json_object_get(json, "allow"), pool);
}

static apr_status_t lifetimes(oas_client_t *client, const json_t *json, apr_pool_t *pool)
{
    return lifetimes_from_json(client->lifetimes, json_object_get(json, "lifetimes_ms"));
}

static apr_status_t window(oas_client_t *client, const json_t *json, apr_pool_t *pool)
{
    return window_from_json(&client->reuse_window, json_object_get(json, "refresh_reuse_window"));
}

/* Behind strings and lists, on which some of them look. */
static const struct {
    const char *what;
    apr_status_t (*read)(oas_client_t *client, const json_t *json, apr_pool_t *pool);
} parts[] = {
    {"client_type or assertion_audience", choices_from_json},
    {"client_secret_sha256", secret_list},
    {"allow", allow_list},
    {"jwks", keys_from_json},
    {"jwks_uri, backchannel_logout_uri or frontchannel_logout_uri", check_fetchable},
    {"tls_client_auth_subject_dn or tls_client_auth_san_dns", certificate_from_json},
    {"subject_type or sector", subject_from_json},
    {"required_acr", acr_from_json},
    {"lifetimes_ms", lifetimes},
    {"refresh_reuse_window", window},
};

apr_status_t oas_client_read(oas_client_t **out, const char *text, const char **wrong,
                             apr_pool_t *pool)
{
    oas_client_t *client = apr_pcalloc(pool, sizeof(*client));
    json_t *json; /* owned by the pool, like the client: its strings are not copied */
    apr_status_t rv = oas_json_parse(&json, text, strlen(text), OAS_CLIENT_METADATA_MAX, pool);
    apr_size_t i;

    *out = NULL;
    *wrong = "the JSON";
    if (rv != APR_SUCCESS || !json_is_object(json))
        return APR_EINVAL;
    flags_from_json(client, json);
    if (strings_from_json(client, json, wrong) || lists_from_json(client, json, wrong, pool))
        return APR_EINVAL;
    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        *wrong = parts[i].what;
        if (parts[i].read(client, json, pool))
            return APR_EINVAL;
    }
    *out = client;
    return APR_SUCCESS;
}

apr_status_t oas_client_from_json(oas_client_t **out, const char *text, apr_pool_t *pool)
{
    const char *wrong;
    oas_client_t *client;
    apr_status_t rv = oas_client_read(&client, text, &wrong, pool);

    *out = NULL;
    if (rv != APR_SUCCESS)
        return rv;
    if (!oas_client_sound(client, pool))
        return OAS_CLIENT_UNSOUND;
    /* doing without is for clients that authenticate only */
    client->require_pkce |= !oas_client_confidential(client);
    *out = client;
    return APR_SUCCESS;
}
