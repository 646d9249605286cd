/* SPDX-License-Identifier: Apache-2.0 */
#include "cookie.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/handle.h"

#define BINDING_LEN 22 /* base64url of 16 bytes */

const char *oas_cookie_value(const char *header, const char *name, apr_pool_t *pool)
{
    apr_size_t name_len = strlen(name);
    const char *p = header;

    while (p != NULL && *p != '\0') {
        p += strspn(p, " \t;");
        if (strncmp(p, name, name_len) == 0 && p[name_len] == '=') {
            p += name_len + 1;
            return apr_pstrmemdup(pool, p, strcspn(p, "; \t"));
        }
        p = strchr(p, ';');
    }
    return NULL;
}

static int is_base64url(const char *text, apr_size_t len, apr_pool_t *pool)
{
    oas_bytes_t bytes;

    return oas_base64url_decode(pool, text, len, &bytes) == APR_SUCCESS;
}

/* Sets tx->browser and tx->session_handle from a cookie's value, as far as it is well-formed. */
static void take(oas_tx_t *tx, const char *value)
{
    apr_size_t len = value != NULL ? strlen(value) : 0;

    if (len != BINDING_LEN && len != BINDING_LEN + 1 + OAS_HANDLE_LEN) {
        return;
    }
    if (!is_base64url(value, BINDING_LEN, tx->pool)) {
        return;
    }
    tx->browser = apr_pstrmemdup(tx->pool, value, BINDING_LEN);
    if (len > BINDING_LEN && value[BINDING_LEN] == '.' &&
        is_base64url(value + BINDING_LEN + 1, OAS_HANDLE_LEN, tx->pool)) {
        tx->session_handle = value + BINDING_LEN + 1;
    }
}

void oas_cookie_read(oas_tx_t *tx)
{
    take(tx, oas_cookie_value(tx->request.cookie, tx->issuer->cookie_name, tx->pool));
}

static const char *framed_name(const oas_tx_t *tx)
{
    return apr_pstrcat(tx->pool, tx->issuer->cookie_name, "-wm", NULL);
}

void oas_cookie_read_framed(oas_tx_t *tx)
{
    if (tx->issuer->web_message && tx->session_handle == NULL) {
        take(tx, oas_cookie_value(tx->request.cookie, framed_name(tx), tx->pool));
    }
}

static const char *own_value(const oas_tx_t *tx)
{
    return apr_pstrcat(tx->pool, tx->browser, tx->session_handle != NULL ? "." : "",
                       tx->session_handle != NULL ? tx->session_handle : "", NULL);
}

/* "": until the browser is closed (RFC 6265 section 4.1.2.2). */
static const char *max_age(const oas_tx_t *tx, apr_interval_time_t keep)
{
    return keep > 0 ? apr_psprintf(tx->pool, "; Max-Age=%" APR_TIME_T_FMT, apr_time_sec(keep)) : "";
}

/* Browsers take SameSite=None only with Secure; loopback is secure to them without TLS. */
static void set_framed(oas_tx_t *tx, apr_interval_time_t keep)
{
    if (tx->issuer->web_message && tx->session_handle != NULL) {
        tx->set_cookie[OAS_COOKIE_FRAMED] =
            apr_pstrcat(tx->pool, framed_name(tx), "=", own_value(tx), max_age(tx, keep),
                        "; Path=/; HttpOnly; SameSite=None; Secure", NULL);
    }
}

/* __Host- where Secure (RFC 6265bis): no neighbour under the same domain can plant one. */
static void set_cookies(oas_tx_t *tx, apr_interval_time_t keep)
{
    tx->set_cookie[OAS_COOKIE_BROWSER] = apr_pstrcat(
        tx->pool, tx->issuer->cookie_name, "=", own_value(tx), max_age(tx, keep),
        "; Path=/; HttpOnly; SameSite=Lax", tx->issuer->cookie_secure ? "; Secure" : "", NULL);
    set_framed(tx, keep);
}

void oas_cookie_keep_framed(oas_tx_t *tx)
{
    const oas_session_t *session = tx->session;
    apr_int64_t left = session->persistent ? session->expires - session->now : 0;
    const char *value;

    if (!tx->issuer->web_message) {
        return;
    }
    value = oas_cookie_value(tx->request.cookie, framed_name(tx), tx->pool);
    if (!oas_equal_str(value, own_value(tx))) {
        set_framed(tx, apr_time_from_sec(left));
    }
}

apr_status_t oas_cookie_bind(oas_tx_t *tx)
{
    unsigned char random[OAS_ID_LEN];

    if (tx->browser != NULL) {
        return APR_SUCCESS;
    }
    if (oas_random(random, sizeof(random)) != APR_SUCCESS) {
        return APR_EGENERAL;
    }
    tx->browser = oas_base64url_encode(tx->pool, random, sizeof(random));
    set_cookies(tx, 0);
    return APR_SUCCESS;
}

void oas_cookie_set_session(oas_tx_t *tx, const unsigned char id[OAS_ID_LEN],
                            const unsigned char secret[OAS_SECRET_LEN], apr_interval_time_t keep)
{
    tx->session_handle = oas_handle_make(id, secret, tx->pool);
    set_cookies(tx, keep);
}

void oas_cookie_end_session(oas_tx_t *tx)
{
    if (tx->session_handle == NULL) {
        return;
    }
    tx->session_handle = NULL;
    set_cookies(tx, 0);
    tx->set_cookie[OAS_COOKIE_FRAMED] =
        oas_cookie_value(tx->request.cookie, framed_name(tx), tx->pool) != NULL
            ? apr_pstrcat(tx->pool, framed_name(tx),
                          "=; Path=/; Max-Age=0; HttpOnly; SameSite=None; Secure", NULL)
            : NULL;
}

apr_status_t oas_cookie_session(const oas_tx_t *tx, unsigned char id[OAS_ID_LEN],
                                unsigned char secret_hash[OAS_SHA256_LEN])
{
    if (tx->session_handle == NULL ||
        oas_handle_split(tx->session_handle, id, secret_hash, tx->pool) != APR_SUCCESS) {
        return APR_ENOENT;
    }
    return APR_SUCCESS;
}

const char *oas_cookie_sid(const oas_tx_t *tx)
{
    unsigned char id[OAS_ID_LEN];
    unsigned char hash[OAS_SHA256_LEN];

    if (oas_cookie_session(tx, id, hash) != APR_SUCCESS) {
        return "";
    }
    return oas_base64url_encode(tx->pool, id, sizeof(id));
}
