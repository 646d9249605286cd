/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <string.h>
#include <strings.h>
#include "../base/uri.h"

/* Two virtual hosts for one issuer: the second one asks for certificates, or has a login option. */

/** The first of these that is a directive or a section of this module; NULL: none. */
static const ap_directive_t *own_from(const ap_directive_t *node)
{
    while (node != NULL && strncasecmp(node->directive + (node->directive[0] == '<'), "OAuth2AS",
                                       strlen("OAuth2AS")) != 0) {
        node = node->next;
    }
    return node;
}

static int same_line(const ap_directive_t *a, const ap_directive_t *b)
{
    return strcasecmp(a->directive, b->directive) == 0 && strcmp(a->args, b->args) == 0;
}

/**
 * The first line of `b` that `a` has not likewise, or of `a` when `b` has only ended earlier. NULL:
 * both say the same, word by word.
 */
static const ap_directive_t *difference(const ap_directive_t *a, const ap_directive_t *b)
{
    const ap_directive_t *inner = NULL;

    for (a = own_from(a), b = own_from(b); a != NULL && b != NULL;
         a = own_from(a->next), b = own_from(b->next)) {
        if (!same_line(a, b)) {
            return b;
        }
        inner = difference(a->first_child, b->first_child);
        if (inner != NULL) {
            return inner;
        }
    }
    return b != NULL ? b : a;
}

/** The directives among which this one stands. */
static const ap_directive_t *neighbours(const ap_directive_t *node)
{
    return node->parent != NULL ? node->parent->first_child : ap_conftree;
}

/** 1 when part of the issuer is at another port. */
static int wants_twin(const oas_issuer_t *issuer)
{
    int i;

    for (i = 0; issuer->login_options != NULL && i < issuer->login_options->nelts; i++) {
        if (oas_option_elsewhere(issuer,
                                 &APR_ARRAY_IDX(issuer->login_options, i, oas_login_option_t))) {
            return 1;
        }
    }
    return issuer->mtls_url != NULL;
}

void oas_check_unique(oas_check_t *check, apr_hash_t *seen)
{
    const char *url = check->config->issuer.url;
    const ap_directive_t *first = apr_hash_get(seen, url, APR_HASH_KEY_STRING);
    const ap_directive_t *where = oas_place_of(&check->config->block, OAS_D_ISSUER, NULL);
    const ap_directive_t *other;

    if (first == NULL) {
        apr_hash_set(seen, url, APR_HASH_KEY_STRING, where);
        return;
    }
    /* httpd's list of virtual hosts need not be in the order of the file */
    if (strcmp(first->filename, where->filename) == 0 && first->line_num > where->line_num) {
        const ap_directive_t *later = first;
        first = where;
        where = later;
    }
    if (!wants_twin(&check->config->issuer)) {
        oas_complain(check, OAS_TAG(00312), where, "%s is an issuer already, at %s:%d", url,
                     first->filename, first->line_num);
        return;
    }
    other = difference(neighbours(first), neighbours(where));
    if (other != NULL) {
        oas_complain(check, OAS_TAG(00450), other,
                     "the two virtual hosts of %s differ here (the first one is at %s:%d); for "
                     "OAuth2ASMutualTLS, and for a login option at another port, both need the "
                     "very same OAuth2AS directives (Include one file in both)",
                     url, first->filename, first->line_num);
    }
}

void oas_check_mutual_tls(oas_check_t *check)
{
    const oas_issuer_t *issuer = &check->config->issuer;
    const ap_directive_t *where = oas_place_of(&check->config->block, OAS_D_MUTUAL_TLS, NULL);
    const char *origin;
    oas_uri_t uri;

    if (issuer->mtls_url == NULL ||
        oas_uri_parse(&uri, issuer->mtls_url, check->pool) != APR_SUCCESS) {
        return;
    }
    origin = oas_uri_origin(&uri, check->pool);
    if (*uri.path != '\0' && strcmp(uri.path, issuer->path) != 0) {
        oas_complain(check, OAS_TAG(00451), where,
                     "%s has another path than the issuer %s; it can be left out", issuer->mtls_url,
                     issuer->url);
    } else if (strcmp(origin, issuer->origin) == 0) {
        oas_complain(check, OAS_TAG(00452), where,
                     "%s is where the issuer itself is; clients with certificates need another "
                     "host or port",
                     issuer->mtls_url);
    }
}
