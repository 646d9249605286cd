/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <stddef.h>
#include <string.h>
#include "../base/bytes.h"
#include "../base/json.h"
#include "../base/uri.h"

#define METADATA_MAX 262144 /* bytes of one client's metadata */
#define SECRETS_MAX  2
#define LIFETIME_MAX 3153600000000LL /* milliseconds: 100 years */

/* Members that are plain strings, both ways. */
typedef struct {
    const char *name;
    apr_size_t offset;
    int required;
} string_member_t;

static const string_member_t strings[] = {
    {"client_id", offsetof(oas_client_t, client_id), 1},
    {"client_name", offsetof(oas_client_t, name), 1},
    {"logo_uri", offsetof(oas_client_t, logo_uri), 0},
    {"client_uri", offsetof(oas_client_t, client_uri), 0},
    {"policy_uri", offsetof(oas_client_t, policy_uri), 0},
    {"tos_uri", offsetof(oas_client_t, tos_uri), 0},
    {"id_token_signed_response_alg", offsetof(oas_client_t, id_token_alg), 1},
};
#define STRINGS (sizeof(strings) / sizeof(strings[0]))

/* Members that are arrays of names, each a bit. */
typedef struct {
    const char *name;
    const oas_name_bit_t *table;
    apr_size_t offset;
} bits_member_t;

static const bits_member_t bit_sets[] = {
    {"token_endpoint_auth_methods", oas_auth_method_names, offsetof(oas_client_t, auth_methods)},
    {"grant_types", oas_grant_type_names, offsetof(oas_client_t, grant_types)},
    {"response_types", oas_response_type_names, offsetof(oas_client_t, response_types)},
};
#define BIT_SETS (sizeof(bit_sets) / sizeof(bit_sets[0]))

#define MEMBER(client, row, type) (*(type *)((char *)(client) + (row)->offset))

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

char *oas_client_to_json(const oas_client_t *client, apr_pool_t *pool)
{
    json_t *json = oas_json_object(pool);
    apr_size_t i;

    for (i = 0; i < STRINGS; i++)
        oas_json_set(json, strings[i].name, MEMBER(client, &strings[i], const char *const));
    oas_json_set(json, "client_type", oas_client_type_names[client->type]);
    json_object_set_new(json, "redirect_uris", words_to_json(client->redirect_uris));
    json_object_set_new(json, "web_origins", words_to_json(client->web_origins));
    json_object_set_new(json, "client_secret_sha256", secrets_to_json(client->secrets, pool));
    for (i = 0; i < BIT_SETS; i++)
        json_object_set_new(
            json, bit_sets[i].name,
            bits_to_json(bit_sets[i].table, MEMBER(client, &bit_sets[i], const unsigned)));
    json_object_set_new(json, "allow", allow_to_json(client->allow));
    json_object_set_new(json, "first_party", json_boolean(client->first_party));
    json_object_set_new(json, "require_pkce", json_boolean(client->require_pkce));
    json_object_set_new(json, "lifetimes_ms", lifetimes_to_json(client->lifetimes));
    return oas_json_text(pool, json);
}

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

static apr_status_t strings_from_json(oas_client_t *client, const json_t *json)
{
    apr_size_t i;

    for (i = 0; i < STRINGS; i++) {
        const json_t *value = json_object_get(json, strings[i].name);
        const char *text = json_string_value(value);

        if ((value && !text) || (strings[i].required && (!text || !*text)))
            return APR_EINVAL;
        MEMBER(client, &strings[i], const char *) = text;
    }
    return APR_SUCCESS;
}

static apr_status_t type_from_json(oas_client_type_t *out, const char *name)
{
    int i;

    for (i = 0; name && oas_client_type_names[i]; i++) {
        if (!strcmp(oas_client_type_names[i], name)) {
            *out = (oas_client_type_t)i;
            return APR_SUCCESS;
        }
    }
    return APR_EINVAL;
}

static apr_status_t lists_from_json(oas_client_t *client, const json_t *json, apr_pool_t *pool)
{
    apr_status_t rv =
        uris_from_json(&client->redirect_uris, json_object_get(json, "redirect_uris"), pool);
    apr_size_t i;

    if (rv == APR_SUCCESS)
        rv = uris_from_json(&client->web_origins, json_object_get(json, "web_origins"), pool);
    if (rv == APR_SUCCESS)
        rv = secrets_from_json(&client->secrets, json_object_get(json, "client_secret_sha256"),
                               pool);
    if (rv == APR_SUCCESS)
        rv = allow_from_json(&client->allow, json_object_get(json, "allow"), pool);
    for (i = 0; rv == APR_SUCCESS && i < BIT_SETS; i++)
        rv = bits_from_json(&MEMBER(client, &bit_sets[i], unsigned), bit_sets[i].table,
                            json_object_get(json, bit_sets[i].name));
    return rv;
}

apr_status_t oas_client_from_json(oas_client_t **out, const char *text, apr_pool_t *pool)
{
    oas_client_t *client = apr_pcalloc(pool, sizeof(*client));
    json_t *json; /* owned by the pool, like the client: its strings are not copied */
    apr_status_t rv = oas_json_parse(&json, text, strlen(text), METADATA_MAX, pool);

    *out = NULL;
    if (rv != APR_SUCCESS || !json_is_object(json))
        return APR_EINVAL;
    rv = strings_from_json(client, json);
    if (rv == APR_SUCCESS)
        rv = type_from_json(&client->type, oas_json_string(json, "client_type"));
    if (rv == APR_SUCCESS)
        rv = lists_from_json(client, json, pool);
    if (rv == APR_SUCCESS)
        rv = lifetimes_from_json(client->lifetimes, json_object_get(json, "lifetimes_ms"));
    if (rv != APR_SUCCESS)
        return APR_EINVAL;
    client->first_party = json_is_true(json_object_get(json, "first_party"));
    /* only an explicit false takes the requirement away, and only from a client that authenticates
     */
    client->require_pkce =
        !json_is_false(json_object_get(json, "require_pkce")) || !oas_client_confidential(client);
    *out = client;
    return APR_SUCCESS;
}
