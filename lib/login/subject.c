/* SPDX-License-Identifier: Apache-2.0 */
#include "subject.h"

#include <stdlib.h>
#include <string.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include "../base/json.h"

char *oas_fold_case(const char *text, apr_pool_t *pool)
{
    char *folded = apr_pstrdup(pool, text);
    char *p;

    for (p = folded; *p != '\0'; p++) {
        if (*p >= 'A' && *p <= 'Z') {
            *p = (char)(*p - 'A' + 'a');
        }
    }
    return folded;
}

/* Percent-encodes what is not visible ASCII, and '%' itself so that no two names meet. */
static char *escape_ascii(const char *text, apr_pool_t *pool)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = apr_palloc(pool, 3 * strlen(text) + 1);
    char *p = out;

    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c > 0x20 && c < 0x7f && c != '%') {
            *p++ = (char)c;
        } else {
            *p++ = '%';
            *p++ = digits[c >> 4];
            *p++ = digits[c & 15];
        }
    }
    *p = '\0';
    return out;
}

static const char *hashed(const char *text, const char *provider, apr_pool_t *pool)
{
    unsigned char hash[OAS_SHA256_LEN];

    oas_sha256(text, strlen(text), hash);
    return apr_psprintf(pool, "%.100s|sha256:%s", provider,
                        oas_base64url_encode(pool, hash, sizeof(hash)));
}

/* A client's own tokens have its id, or its id@clients, as sub: nobody else may be called so
 * (RFC 9068 section 5). */
static int is_client_name(const oas_tx_t *tx, const char *sub)
{
    static const char ending[] = "@clients";
    apr_size_t len = strlen(sub);

    return apr_hash_get(tx->issuer->clients, sub, APR_HASH_KEY_STRING) != NULL ||
           (len >= sizeof(ending) - 1 && strcmp(sub + len - (sizeof(ending) - 1), ending) == 0);
}

apr_status_t oas_subject_make(oas_tx_t *tx, const oas_identity_t *identity, const char **sub)
{
    const char *name =
        identity->ignores_case ? oas_fold_case(identity->name, tx->pool) : identity->name;
    const char *text;

    if (tx->issuer->subject != NULL) {
        apr_status_t rv = tx->host->eval(tx, tx->issuer->subject, &text);
        if (rv != APR_SUCCESS || text[0] == '\0') {
            return APR_EGENERAL;
        }
        text = escape_ascii(text, tx->pool);
        if (is_client_name(tx, text)) {
            oas_log(tx->log, OAS_LOG_ERROR, OAS_TAG(00529), APR_SUCCESS,
                    "OAuth2ASSubject gives a user the name of a client");
            return APR_EGENERAL;
        }
    } else {
        text = escape_ascii(apr_pstrcat(tx->pool, identity->provider, "|", name, NULL), tx->pool);
    }
    *sub = strlen(text) <= OAS_SUBJECT_MAX
               ? text
               : hashed(text, escape_ascii(identity->provider, tx->pool), tx->pool);
    return APR_SUCCESS;
}

static json_t *boolean_value(const char *text)
{
    static const char *const yes[] = {"true", "t", "1", "yes", "on"};
    static const char *const no[] = {"false", "f", "0", "no", "off"};
    apr_size_t i;

    for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (strcasecmp(text, yes[i]) == 0) {
            return json_true();
        }
        if (strcasecmp(text, no[i]) == 0) {
            return json_false();
        }
    }
    return NULL;
}

static json_t *integer_value(const char *text)
{
    char *end;
    apr_int64_t value = apr_strtoi64(text, &end, 10);

    return *end == '\0' && end != text ? json_integer(value) : NULL;
}

/* The claim as JSON, or NULL when the text does not fit the type. */
static json_t *claim_value(oas_claim_type_t type, const char *text)
{
    switch (type) {
    case OAS_CLAIM_BOOLEAN:
        return boolean_value(text);
    case OAS_CLAIM_INTEGER:
        return integer_value(text);
    case OAS_CLAIM_JSON:
        return json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    case OAS_CLAIM_STRING:
        break;
    }
    return json_string(text); /* NULL when it is not UTF-8 */
}

/* What a claim's expression gives in this request, else what a directory says; NULL: nothing. */
static const char *claim_text(oas_tx_t *tx, const oas_claim_t *claim)
{
    const char *text;

    if (tx->host->eval(tx, claim->value, &text) == APR_SUCCESS && text[0] != '\0') {
        return text;
    }
    if (claim->directory == NULL || tx->host->eval(tx, claim->directory, &text) != APR_SUCCESS) {
        return NULL;
    }
    text = apr_pstrmemdup(tx->pool, text, strcspn(text, claim->ends));
    return text[0] != '\0' ? text : NULL;
}

apr_status_t oas_subject_claims(oas_tx_t *tx, json_t **out)
{
    json_t *claims = oas_json_object(tx->pool);
    const char *text;
    int i;

    for (i = 0; i < tx->issuer->claims->nelts; i++) {
        const oas_claim_t *claim = &APR_ARRAY_IDX(tx->issuer->claims, i, oas_claim_t);
        json_t *value;

        text = claim_text(tx, claim);
        if (text == NULL) {
            continue;
        }
        value = claim_value(claim->type, text);
        if (value == NULL) {
            oas_log(tx->log, OAS_LOG_WARNING, OAS_TAG(00500), APR_SUCCESS,
                    "claim %s left out: its value does not fit its type", claim->name);
            continue;
        }
        json_object_set_new(claims, claim->name, value);
    }
    text = oas_json_text(tx->pool, claims);
    if (text == NULL || strlen(text) > OAS_CLAIMS_MAX) {
        return APR_ENOSPC;
    }
    *out = claims;
    return APR_SUCCESS;
}
