/* SPDX-License-Identifier: Apache-2.0 */
#include "client_input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <apr_strings.h>
#include "../lib/base/bytes.h"
#include "../lib/base/client_rules.h"
#include "../lib/base/json.h"
#include "../lib/base/uri.h"
#include "../lib/check/certificate.h"
#include "../lib/jose/jwk.h"
#include "../lib/jose/jwks.h"
#include "../lib/store/client.h"

#define METHOD  "token_endpoint_auth_method"
#define METHODS "token_endpoint_auth_methods"

/* What a member's value has to be; what only the store's reader tells apart is ANY. */
typedef enum { ANY, FLAG } member_kind_t;

static const struct {
    const char *name;
    member_kind_t kind;
} members[] = {
    {"client_id", ANY},
    {"client_name", ANY},
    {"client_type", ANY},
    {"logo_uri", ANY},
    {"client_uri", ANY},
    {"policy_uri", ANY},
    {"tos_uri", ANY},
    {"redirect_uris", ANY},
    {"web_origins", ANY},
    {"post_logout_redirect_uris", ANY},
    {"backchannel_logout_uri", ANY},
    {"frontchannel_logout_uri", ANY},
    {METHODS, ANY},
    {"client_secret_sha256", ANY},
    {"jwks", ANY},
    {"jwks_uri", ANY},
    {"tls_client_auth_subject_dn", ANY},
    {"tls_client_auth_san_dns", ANY},
    {"tls_client_certificate_bound_access_tokens", FLAG},
    {"assertion_audience", ANY},
    {"grant_types", ANY},
    {"response_types", ANY},
    {"allow", ANY},
    {"first_party", FLAG},
    {"require_pkce", FLAG},
    {"required_acr", ANY},
    {"rotation", FLAG},
    {"refresh_reuse_window", ANY},
    {"lifetimes_ms", ANY},
    {"id_token_signed_response_alg", ANY},
    {"subject_type", ANY},
    {"sector", ANY},
    {"web_message", FLAG},
    {"query_token", FLAG},
    {"forwarded_for", FLAG},
};
#define MEMBERS (sizeof(members) / sizeof(members[0]))

/* Members of RFC 7591 and OpenID Connect that say something else here. */
static const struct {
    const char *name, *instead;
} elsewhere[] = {
    {"client_secret", "a secret is never written into a file; leave it out, and one is made"},
    {"scope", "name APIs and their scopes in allow; those of OpenID Connect need no leave"},
    {"sector_identifier_uri", "name the host in sector"},
    {"default_max_age", "an application asks for it in each request"},
};

static int check_member(const char *name, const json_t *value)
{
    apr_size_t i;

    for (i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
        if (!strcmp(elsewhere[i].name, name))
            return cli_fail(CLI_FAILED, "%s: %s", name, elsewhere[i].instead);
    }
    for (i = 0; i < MEMBERS; i++) {
        if (strcmp(members[i].name, name))
            continue;
        return members[i].kind == FLAG && !json_is_boolean(value)
                   ? cli_fail(CLI_FAILED, "%s: true or false", name)
                   : CLI_DONE;
    }
    return cli_fail(CLI_FAILED, "%s: this server knows no such member", name);
}

static int check_members(const json_t *json)
{
    int code = CLI_DONE;
    const char *name;
    const json_t *value;

    json_object_foreach((json_t *)json, name, value)
    {
        if (check_member(name, value) != CLI_DONE)
            code = CLI_FAILED;
    }
    return code;
}

/* token_endpoint_auth_method of RFC 7591 is one of several here; application_type is said by the
 * type. Both are taken out, so that the rest is members of ours. */
static void take_foreign(json_t *json)
{
    const json_t *method = json_object_get(json, METHOD);
    const char *kind = oas_json_string(json, "application_type");

    if (method && !json_object_get(json, METHODS))
        json_object_set_new(json, METHODS, json_pack("[O]", method));
    json_object_del(json, METHOD);
    if (kind && !strcmp(kind, "native") && !json_object_get(json, "client_type"))
        oas_json_set(json, "client_type", "native");
    json_object_del(json, "application_type");
}

static int lists(const json_t *json, const char *member, const char *word)
{
    const json_t *list = json_object_get(json, member), *entry;
    size_t i;

    json_array_foreach((json_t *)list, i, entry)
    {
        if (json_is_string(entry) && !strcmp(json_string_value(entry), word))
            return 1;
    }
    return 0;
}

/* The type of a client that does not say it. */
static const char *type_of(const json_t *json)
{
    if (lists(json, METHODS, "none"))
        return "spa";
    if (lists(json, "grant_types", "client_credentials") &&
        json_array_size(json_object_get(json, "redirect_uris")) == 0)
        return "machine";
    return "web";
}

static unsigned bits_of(const json_t *json, const char *member, const oas_name_bit_t *table)
{
    const json_t *list = json_object_get(json, member), *entry;
    unsigned bits = 0;
    size_t i;

    json_array_foreach((json_t *)list, i, entry)
    {
        const char *text = json_string_value(entry);

        bits |= text ? oas_name_bit(table, text) : 0;
    }
    return bits;
}

static void set_bits(json_t *json, const char *member, const oas_name_bit_t *table, unsigned bits)
{
    json_t *list;

    if (json_object_get(json, member))
        return;
    list = json_array();
    for (; table->name; table++) {
        if (bits & table->bit)
            json_array_append_new(list, json_string(table->name));
    }
    json_object_set_new(json, member, list);
}

static void set_missing(json_t *json, const char *member, const char *value)
{
    if (!json_object_get(json, member))
        oas_json_set(json, member, value);
}

static oas_words_t *strings(const json_t *list, apr_pool_t *pool)
{
    oas_words_t *words = oas_words_create(pool);
    const json_t *entry;
    size_t i;

    json_array_foreach((json_t *)list, i, entry)
    {
        if (json_is_string(entry))
            oas_words_add(words, json_string_value(entry));
    }
    return words;
}

static void complete_uris(json_t *json, apr_pool_t *pool)
{
    const oas_words_t *uris = strings(json_object_get(json, "redirect_uris"), pool), *origins;
    const char *subjects = oas_json_string(json, "subject_type");
    int i;

    if (subjects && !strcmp(subjects, "pairwise"))
        set_missing(json, "sector", oas_client_host(uris, pool));
    if (json_object_get(json, "web_origins") || strcmp(oas_json_string(json, "client_type"), "spa"))
        return;
    origins = oas_client_origins(uris, pool);
    json_object_set_new(json, "web_origins", json_array());
    for (i = 0; i < origins->nelts; i++)
        json_array_append_new(json_object_get(json, "web_origins"),
                              json_string(OAS_WORD(origins, i)));
}

/* Fills in what a section of a configuration would have without being told. */
static int complete(json_t *json, const char *client_id, apr_pool_t *pool)
{
    oas_client_t like = {.client_id = client_id};
    const char *type;
    unsigned i;

    set_missing(json, "client_id", client_id);
    set_missing(json, "client_name", oas_json_string(json, "client_id"));
    set_missing(json, "client_type", type_of(json));
    type = oas_json_string(json, "client_type");
    for (i = 0; type && oas_client_type_names[i] && strcmp(oas_client_type_names[i], type); i++)
        ;
    if (!type || !oas_client_type_names[i])
        return cli_fail(CLI_FAILED, "client_type: web, spa, native or machine");
    like.type = (oas_client_type_t)i;
    like.auth_methods = bits_of(json, METHODS, oas_auth_method_names);
    like.grant_types = bits_of(json, "grant_types", oas_grant_type_names);
    like.response_types = bits_of(json, "response_types", oas_response_type_names);
    oas_client_complete(&like);
    set_bits(json, METHODS, oas_auth_method_names, like.auth_methods);
    set_bits(json, "grant_types", oas_grant_type_names, like.grant_types);
    set_bits(json, "response_types", oas_response_type_names, like.response_types);
    set_missing(json, "id_token_signed_response_alg", like.id_token_alg);
    complete_uris(json, pool);
    return CLI_DONE;
}

/* Values that directives would refuse. */

static int bad(const char *member, const char *value, const char *why)
{
    return cli_fail(1, "%s: \"%s\" %s", member, value, why);
}

static int check_uris(const oas_client_t *client, apr_pool_t *pool)
{
    const struct {
        const char *member;
        const oas_words_t *uris;
    } lists[] = {{"redirect_uris", client->redirect_uris},
                 {"post_logout_redirect_uris", client->post_logout_redirect_uris}};
    int faults = 0, i, k;

    for (k = 0; k < 2; k++) {
        for (i = 0; i < lists[k].uris->nelts; i++) {
            const char *why = oas_redirect_uri_fault(OAS_WORD(lists[k].uris, i), pool);

            faults += why ? bad(lists[k].member, OAS_WORD(lists[k].uris, i), why) : 0;
        }
    }
    for (i = 0; i < client->web_origins->nelts; i++) {
        const char *text = OAS_WORD(client->web_origins, i), *origin = oas_origin_of(text, pool);

        if (!origin || strcmp(origin, text))
            faults += bad("web_origins", text, "is no origin like https://app.example.com");
    }
    return faults;
}

static int check_pages(const oas_client_t *client, apr_pool_t *pool)
{
    const struct {
        const char *member, *url;
    } pages[] = {{"client_uri", client->client_uri},
                 {"policy_uri", client->policy_uri},
                 {"tos_uri", client->tos_uri}};
    int faults = 0, i;

    for (i = 0; i < 3; i++) {
        if (pages[i].url && !oas_web_url_valid(pages[i].url, pool))
            faults += bad(pages[i].member, pages[i].url, "is no http or https URL");
    }
    if (client->logo_uri && !oas_picture_valid(client->logo_uri, pool))
        faults += bad("logo_uri", client->logo_uri, "is neither an https URL nor an absolute path");
    if (!oas_text_valid(client->name))
        faults +=
            cli_fail(1, "client_name: 1 to %d bytes without control characters", OAS_TEXT_MAX);
    return faults;
}

static int check_credentials(const oas_client_t *client, apr_pool_t *pool)
{
    const char *dn =
        client->certificate == OAS_CERTIFICATE_SUBJECT ? client->certificate_value : NULL;
    const char *dns =
        client->certificate == OAS_CERTIFICATE_SAN_DNS ? client->certificate_value : NULL;
    const char *why = NULL;
    int faults = 0;

    if (!oas_alg_find(client->id_token_alg))
        faults += bad("id_token_signed_response_alg", client->id_token_alg,
                      "is none of RS256, PS256, ES256, EdDSA");
    if (dn && !oas_certificate_subject_valid(dn, pool))
        faults += bad("tls_client_auth_subject_dn", dn, "is no distinguished name (CN=a,O=B)");
    if (dns && !oas_dns_name_valid(dns))
        faults += bad("tls_client_auth_san_dns", dns, "is no DNS name");
    if (client->jwks_json && client->jwks_uri)
        faults += cli_fail(1, "jwks and jwks_uri: a client has one key set");
    if (client->jwks_json) {
        struct oas_jwks *keys;
        json_t *set;

        if (oas_json_parse(&set, client->jwks_json, strlen(client->jwks_json), CLI_TEXT_MAX,
                           pool) != APR_SUCCESS ||
            oas_jwks_parse(&keys, set, &why, pool) != APR_SUCCESS)
            faults += cli_fail(1, "jwks: %s", why ? why : "cannot be read");
    }
    return faults;
}

static int check_lifetimes(const oas_client_t *client)
{
    int faults = 0, i;

    for (i = 0; i < OAS_LIFETIME_COUNT; i++) {
        const oas_lifetime_range_t *row = &oas_lifetime_ranges[i];
        apr_interval_time_t value = client->lifetimes[i];

        if (value == OAS_LIFETIME_UNSET)
            continue;
        if (!row->of_client)
            faults += bad("lifetimes_ms", oas_lifetime_names[i], "is the issuer's");
        else if (value < row->range.min || value > row->range.max || value % APR_USEC_PER_SEC)
            faults += cli_fail(1, "lifetimes_ms: %s is %s, in whole seconds", oas_lifetime_names[i],
                               row->range.words);
    }
    return faults;
}

static int check_allow(const oas_client_t *client, apr_pool_t *pool)
{
    int faults = 0, i, k;

    for (i = 0; i < client->allow->nelts; i++) {
        const oas_allow_t *allow = &APR_ARRAY_IDX(client->allow, i, oas_allow_t);
        oas_uri_t uri;
        oas_words_t *words;

        if (oas_uri_parse(&uri, allow->resource, pool) != APR_SUCCESS || uri.fragment)
            faults += bad("allow", allow->resource, "is no API: an absolute URI without fragment");
        for (k = 0; k < allow->scopes->nelts; k++) {
            const char *scope = OAS_WORD(allow->scopes, k);

            if (oas_words_parse(&words, scope, pool) != APR_SUCCESS || words->nelts != 1)
                faults += bad("allow", scope, "is no scope");
        }
    }
    return faults;
}

static void report(oas_client_check_t *check, const oas_client_fault_t *fault)
{
    cli_fail(0, "%s%s", fault->advice ? "warning: " : "", fault->text);
}

int cli_client_check(const oas_client_t *client, apr_pool_t *pool)
{
    static const oas_client_words_t words = {
        .methods = METHODS,
        .a_secret = "a secret",
        .keys = "jwks or jwks_uri",
        .a_name_in_certificate = "tls_client_auth_subject_dn or tls_client_auth_san_dns",
        .a_redirect_uri = "an entry in redirect_uris",
        .web_origins = "web_origins",
        .an_api = "an entry in allow",
        .first_party = "first_party true",
        .bound = "tls_client_certificate_bound_access_tokens",
    };
    oas_client_check_t rules = {
        .client = client, .words = &words, .report = report, .pool = pool, .web_message_given = 1};

    return oas_client_check(&rules) ? CLI_FAILED : CLI_DONE;
}

static int check_values(const oas_client_t *client, apr_pool_t *pool)
{
    int faults = check_uris(client, pool) + check_pages(client, pool) +
                 check_credentials(client, pool) + check_lifetimes(client) +
                 check_allow(client, pool);

    if (!client->require_pkce &&
        (client->type != OAS_CLIENT_WEB || !oas_client_confidential(client)))
        faults +=
            cli_fail(1, "require_pkce: only a confidential client of type web can do without");
    return faults ? CLI_FAILED : CLI_DONE;
}

/* What the store can read is looked at value by value. */
static int read_completed(oas_client_t **out, const json_t *json, apr_pool_t *pool)
{
    const char *wrong;

    if (lists(json, METHODS, "client_secret_jwt"))
        return cli_fail(CLI_FAILED, METHODS ": client_secret_jwt is for clients of a configuration "
                                            "only, whose secret is there in clear");
    if (oas_client_read(out, oas_json_text(pool, json), &wrong, pool) != APR_SUCCESS)
        return cli_fail(CLI_FAILED, "%s: not valid", wrong);
    return check_values(*out, pool);
}

int cli_client_read(oas_client_t **out, const char *text, const char *client_id, apr_pool_t *pool)
{
    unsigned char random[OAS_ID_LEN];
    const char *own;
    json_t *json;

    if (oas_json_parse(&json, text, strlen(text), CLI_TEXT_MAX, pool) != APR_SUCCESS ||
        !json_is_object(json))
        return cli_fail(CLI_FAILED, "that is no JSON object in UTF-8, or a member occurs twice");
    take_foreign(json);
    if (check_members(json) != CLI_DONE)
        return CLI_FAILED;
    own = oas_json_string(json, "client_id");
    if (client_id && own && strcmp(own, client_id))
        return cli_fail(CLI_FAILED, "client_id is %s there, not %s", own, client_id);
    if (!client_id && oas_random(random, sizeof(random)) != APR_SUCCESS)
        return cli_fail(CLI_FAILED, "the system gives no random bytes");
    if (!client_id)
        client_id = oas_hex_encode(pool, random, sizeof(random));
    if (complete(json, client_id, pool) != CLI_DONE)
        return CLI_FAILED;
    return read_completed(out, json, pool);
}

const char *cli_read_text(const char *path, apr_pool_t *pool)
{
    FILE *in = strcmp(path, "-") ? fopen(path, "re") : stdin;
    char *text = apr_palloc(pool, CLI_TEXT_MAX + 1), why[120];
    size_t len;
    int failed;

    if (!in) {
        cli_fail(0, "%s: %s", path, apr_strerror(APR_FROM_OS_ERROR(errno), why, sizeof(why)));
        return NULL;
    }
    len = fread(text, 1, CLI_TEXT_MAX + 1, in);
    failed = ferror(in);
    if (in != stdin)
        fclose(in);
    if (failed || len > CLI_TEXT_MAX || memchr(text, '\0', len)) {
        cli_fail(0, failed ? "%s cannot be read" : "%s is no text of at most 256 KiB", path);
        return NULL;
    }
    text[len] = '\0';
    return text;
}
