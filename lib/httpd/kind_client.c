/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <string.h>
#include <strings.h>
#include <apr_strings.h>
#include "../base/bytes.h"
#include "../base/client_rules.h"
#include "../base/subject.h"
#include "../base/uri.h"
#include "../base/words.h"

#define SECRET_MIN  22 /* characters: 128 random bits in base64url */
#define SECRETS_MAX 2

static oas_words_t *words_of(oas_setting_t *setting)
{
    oas_words_t **words = setting->member;

    if (*words == NULL) {
        *words = oas_words_create(setting->pool);
    }
    return *words;
}

static const char *set_redirects(oas_setting_t *setting, int argc, char *const argv[])
{
    int i;

    for (i = 0; i < argc; i++) {
        const char *why = oas_redirect_uri_fault(argv[i], setting->pool);
        if (why != NULL) {
            return apr_psprintf(setting->pool, "%s: \"%s\" %s", setting->row->name, argv[i], why);
        }
        oas_words_add(words_of(setting), apr_pstrdup(setting->pool, argv[i]));
    }
    return NULL;
}
const oas_kind_t oas_kind_redirects = {set_redirects, NULL, NULL};

static const char *set_logout_uri(oas_setting_t *setting, int argc, char *const argv[])
{
    if (!oas_uri_fetchable(argv[0], setting->pool)) {
        return apr_psprintf(setting->pool,
                            "%s: \"%s\" is no https URL (http on loopback) without user name and "
                            "fragment",
                            setting->row->name, argv[0]);
    }
    *(const char **)setting->member = apr_pstrdup(setting->pool, argv[0]);
    return NULL;
}
const oas_kind_t oas_kind_logout_uri = {set_logout_uri, NULL, NULL};

static const char *set_origins(oas_setting_t *setting, int argc, char *const argv[])
{
    int i;

    for (i = 0; i < argc; i++) {
        const char *origin = oas_origin_of(argv[i], setting->pool);

        if (origin == NULL || strcmp(origin, argv[i]) != 0) {
            return apr_psprintf(
                setting->pool, "%s: \"%s\" is no origin like https://app.example.com%s%s",
                setting->row->name, argv[i], origin != NULL ? "; did you mean " : "",
                origin != NULL ? origin : "");
        }
        oas_words_add(words_of(setting), origin);
    }
    return NULL;
}
const oas_kind_t oas_kind_origins = {set_origins, NULL, NULL};

/** @param clear the secret itself where it is given, len 0 for its hash */
static const char *parse_client_secret(const oas_setting_t *setting, const char *text,
                                       oas_client_secret_t *out, oas_bytes_t *clear)
{
    const char *why;

    clear->len = 0;
    if (strncmp(text, "sha256:", 7) == 0) {
        return strlen(text + 7) == 2 * OAS_SHA256_LEN &&
                       oas_hex_decode(text + 7, out->sha256, OAS_SHA256_LEN) == APR_SUCCESS
                   ? NULL
                   : "sha256: takes 64 hex digits (oauth2asctl client hash-secret)";
    }
    if (strncmp(text, "file:", 5) != 0 && strncmp(text, "env:", 4) != 0 &&
        strncmp(text, "exec:", 5) != 0) {
        return "a secret never stands in the configuration in clear; write file:PATH, env:NAME, "
               "exec:PROGRAM, or the sha256: line that `oauth2asctl client hash-secret` prints";
    }
    why = oas_source_read(setting, text, clear);
    if (why == NULL && clear->len < SECRET_MIN) {
        why = apr_psprintf(setting->pool,
                           "%s has less than %d characters; let `oauth2asctl secret "
                           "generate` make it",
                           text, SECRET_MIN);
    }
    if (why == NULL) {
        oas_sha256(clear->data, clear->len, out->sha256);
    }
    return why;
}

static const char *set_client_secret(oas_setting_t *setting, int argc, char *const argv[])
{
    apr_array_header_t **secrets = setting->member;
    oas_client_config_t *entry = setting->block->base;
    int i;

    if (*secrets == NULL) {
        *secrets = apr_array_make(setting->pool, SECRETS_MAX, sizeof(oas_client_secret_t));
        entry->clear_secrets = apr_array_make(setting->pool, SECRETS_MAX, sizeof(oas_bytes_t));
    }
    for (i = 0; i < argc; i++) {
        oas_client_secret_t secret;
        oas_bytes_t clear;
        const char *why = parse_client_secret(setting, argv[i], &secret, &clear);

        if (why == NULL && (*secrets)->nelts == SECRETS_MAX) {
            why = "a client has at most two secrets";
        }
        if (why != NULL) {
            return apr_psprintf(setting->pool, "%s: %s", setting->row->name, why);
        }
        APR_ARRAY_PUSH(*secrets, oas_client_secret_t) = secret;
        APR_ARRAY_PUSH(entry->clear_secrets, oas_bytes_t) = clear;
    }
    return NULL;
}
const oas_kind_t oas_kind_client_secret = {set_client_secret, NULL, NULL};

static oas_allow_t *allow_for(oas_setting_t *setting, const char *resource)
{
    apr_array_header_t **allow = setting->member;
    oas_allow_t *entry;
    int i;

    if (*allow == NULL) {
        *allow = apr_array_make(setting->pool, 4, sizeof(oas_allow_t));
    }
    for (i = 0; i < (*allow)->nelts; i++) {
        entry = &APR_ARRAY_IDX(*allow, i, oas_allow_t);
        if (strcmp(entry->resource, resource) == 0) {
            return entry;
        }
    }
    entry = apr_array_push(*allow);
    entry->resource = apr_pstrdup(setting->pool, resource);
    entry->all = 0;
    entry->scopes = oas_words_create(setting->pool);
    return entry;
}

static const char *set_allow(oas_setting_t *setting, int argc, char *const argv[])
{
    oas_allow_t *entry = allow_for(setting, argv[0]);
    int i;

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "*") == 0) {
            entry->all = 1;
        } else {
            oas_words_add(entry->scopes, apr_pstrdup(setting->pool, argv[i]));
        }
    }
    return NULL;
}
const oas_kind_t oas_kind_allow = {set_allow, NULL, NULL};

static const char *set_subject_type(oas_setting_t *setting, int argc, char *const argv[])
{
    const char **sector = setting->member;
    const char *host = argc > 1 && strncmp(argv[1], "sector=", 7) == 0 ? argv[1] + 7 : NULL;

    if (strcmp(argv[0], "public") == 0 && argc == 1) {
        *sector = NULL;
        return NULL;
    }
    if (strcmp(argv[0], "pairwise") != 0 || (argc > 1 && host == NULL)) {
        return apr_psprintf(setting->pool, "%s takes public, pairwise or pairwise sector=HOST",
                            setting->row->name);
    }
    if (host != NULL && !oas_sector_valid(host)) {
        return apr_psprintf(setting->pool,
                            "%s: \"%s\" is no host name in lower case, without a port",
                            setting->row->name, host);
    }
    *sector = apr_pstrdup(setting->pool, host != NULL ? host : "");
    return NULL;
}
const oas_kind_t oas_kind_subject_type = {set_subject_type, NULL, NULL};

static const char *require_acr(oas_setting_t *setting, oas_require_t *require, const char *value)
{
    oas_words_t *words;

    if (oas_words_parse(&words, value, setting->pool) != APR_SUCCESS || words->nelts != 1 ||
        strcmp(OAS_WORD(words, 0), value) != 0) {
        return apr_psprintf(setting->pool, "%s: acr=%s is no acr value", setting->row->name, value);
    }
    if (require->acr == NULL) {
        require->acr = oas_words_create(setting->pool);
    }
    oas_words_add(require->acr, OAS_WORD(words, 0));
    return NULL;
}

static const char *set_require(oas_setting_t *setting, int argc, char *const argv[])
{
    oas_require_t *require = setting->member;
    int i;

    for (i = 0; i < argc; i++) {
        if (strcmp(argv[i], "pkce") == 0) {
            require->pkce = 1;
        } else if (strcmp(argv[i], "-pkce") == 0) {
            require->pkce = -1;
        } else if (strcmp(argv[i], "mtls") == 0) {
            require->mtls = 1;
        } else if (strncmp(argv[i], "acr=", 4) == 0) {
            const char *why = require_acr(setting, require, argv[i] + 4);
            if (why != NULL) {
                return why;
            }
        } else {
            return apr_psprintf(setting->pool,
                                "%s: \"%s\" is not available. Available: pkce, -pkce, mtls, acr=",
                                setting->row->name, argv[i]);
        }
    }
    return NULL;
}
const oas_kind_t oas_kind_require = {set_require, NULL, NULL};

static const char *set_scope(oas_setting_t *setting, int argc, char *const argv[])
{
    apr_array_header_t *scopes = *(apr_array_header_t **)setting->member;
    oas_scope_t scope = {apr_pstrdup(setting->pool, argv[0]), NULL};
    oas_words_t *words;
    int i;

    if (oas_words_parse(&words, argv[0], setting->pool) != APR_SUCCESS || words->nelts != 1) {
        return apr_psprintf(setting->pool, "%s: \"%s\" is no scope (RFC 6749 section 3.3)",
                            setting->row->name, argv[0]);
    }
    if (strcmp(argv[0], "*") == 0 || oas_oidc_scope_text(argv[0]) != NULL ||
        strncmp(argv[0], OAS_CLAIM_WORD, strlen(OAS_CLAIM_WORD)) == 0) {
        return apr_psprintf(setting->pool,
                            "%s: \"%s\" has a meaning of its own and cannot be an API's "
                            "scope",
                            setting->row->name, argv[0]);
    }
    for (i = 0; i < scopes->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(scopes, i, oas_scope_t).name, argv[0]) == 0) {
            return apr_psprintf(setting->pool, "%s: this API has a scope %s already",
                                setting->row->name, argv[0]);
        }
    }
    if (argc > 1) {
        oas_setting_t text = *setting;
        const char *why;
        text.member = &scope.text;
        why = oas_kind_text.set(&text, 1, argv + 1);
        if (why != NULL) {
            return why;
        }
    }
    APR_ARRAY_PUSH(scopes, oas_scope_t) = scope;
    return NULL;
}
const oas_kind_t oas_kind_scopes = {set_scope, NULL, NULL};
