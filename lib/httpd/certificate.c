/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate.h"

#include <string.h>
#include <apr_lib.h>
#include <apr_network_io.h>
#include <apr_optional.h>
#include <apr_strings.h>
#include <mod_ssl.h>
#include <openssl/x509.h>
#include "../base/bytes.h"
#include "../base/params.h"
#include "check.h"

#define TEXT_MAX  16384
#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END   "-----END CERTIFICATE-----"

static APR_OPTIONAL_FN_TYPE(ssl_var_lookup) * ssl_var;

/* OpenSSL remembers in a session what optional_no_ca made of a certificate without issuer, and
 * mod_ssl then takes it for verified when a client of TLS 1.2 resumes the session. */
static int resumption_hides_issuer;

void oas_certificate_find(apr_pool_t *ptemp)
{
    ssl_var = APR_RETRIEVE_OPTIONAL_FN(ssl_var_lookup);
    resumption_hides_issuer =
        oas_find_directive(ap_conftree, "SSLVerifyClient", "optional_no_ca", NULL, ptemp) != NULL;
}

static char *without_blanks(const char *text, apr_size_t len, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, len + 1);
    apr_size_t used = 0;
    apr_size_t i;

    for (i = 0; i < len; i++) {
        if (!apr_isspace(text[i])) {
            out[used++] = text[i];
        }
    }
    out[used] = '\0';
    return out;
}

/** The base64 between the lines of PEM, whatever its line ends have become; NULL for other text.
 * Nothing may stand behind it: a second value could be anybody's. */
static const char *pem_body(const char *text, apr_pool_t *pool)
{
    const char *begin = text + strspn(text, " \t\r\n");
    const char *end;

    if (strncmp(begin, PEM_BEGIN, strlen(PEM_BEGIN)) != 0) {
        return NULL;
    }
    begin += strlen(PEM_BEGIN);
    end = strstr(begin, PEM_END);
    if (end == NULL || end[strlen(PEM_END) + strspn(end + strlen(PEM_END), " \t\r\n")] != '\0') {
        return NULL;
    }
    return without_blanks(begin, (apr_size_t)(end - begin), pool);
}

/** The base64 in one of the forms that balancers write. */
static const char *header_body(const char *text, apr_pool_t *pool)
{
    apr_size_t len = strlen(text);
    char *decoded;

    if (text[0] == ':' && len > 2 && text[len - 1] == ':') {
        return apr_pstrmemdup(pool, text + 1, len - 2); /* RFC 9440 section 2.1 */
    }
    if (strchr(text, '%') != NULL) {
        if (oas_percent_decode(pool, text, len, 0, &decoded) != APR_SUCCESS) {
            return NULL;
        }
        text = decoded;
    }
    return text[0] == '-' ? pem_body(text, pool) : text;
}

/** 1 when `body` is base64 of exactly one certificate. */
static int decode(const char *body, oas_bytes_t *out, apr_pool_t *pool)
{
    const unsigned char *p;
    X509 *certificate;
    int whole;

    if (body == NULL || oas_base64_decode(pool, body, strlen(body), out) != APR_SUCCESS) {
        return 0;
    }
    p = out->data;
    certificate = d2i_X509(NULL, &p, (long)out->len);
    whole = certificate != NULL && p == out->data + out->len;
    X509_free(certificate);
    return whole;
}

static void from_header(request_rec *r, const oas_certificate_header_t *header, oas_request_t *in)
{
    const char *text = apr_table_get(r->headers_in, header->name);
    const char *verified =
        header->verified_name != NULL ? apr_table_get(r->headers_in, header->verified_name) : NULL;
    oas_bytes_t der;

    /* "(null)" is what httpd's own RequestHeader writes without a certificate */
    if (text == NULL || *text == '\0' || strcmp(text, "(null)") == 0) {
        return;
    }
    if (strlen(text) > TEXT_MAX || !decode(header_body(text, r->pool), &der, r->pool)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      OAS_TAG(00383) ": header %s of %s holds no certificate that can be read",
                      header->name, r->connection->client_ip);
        return;
    }
    in->certificate = der;
    in->certificate_verified =
        header->verified_always || (verified != NULL && strcmp(verified, "SUCCESS") == 0);
}

static const char *ssl_value(request_rec *r, char *name)
{
    return ssl_var(r->pool, r->server, r->connection, r, name);
}

static int is_resumed(request_rec *r)
{
    const char *resumed = ssl_value(r, "SSL_SESSION_RESUMED");

    return resumed == NULL || strcmp(resumed, "Initial") != 0;
}

static void from_ssl(request_rec *r, oas_request_t *in)
{
    const char *pem, *verify;
    oas_bytes_t der;

    if (ssl_var == NULL) {
        return;
    }
    pem = ssl_value(r, "SSL_CLIENT_CERT");
    if (pem == NULL || strlen(pem) > TEXT_MAX || !decode(pem_body(pem, r->pool), &der, r->pool)) {
        return;
    }
    verify = ssl_value(r, "SSL_CLIENT_VERIFY");
    in->certificate = der;
    in->certificate_verified = verify != NULL && strcmp(verify, "SUCCESS") == 0 &&
                               !(resumption_hides_issuer && is_resumed(r));
}

static int is_trusted(const apr_sockaddr_t *peer, const apr_array_header_t *networks)
{
    int i;

    for (i = 0; networks != NULL && i < networks->nelts; i++) {
        if (apr_ipsubnet_test(APR_ARRAY_IDX(networks, i, apr_ipsubnet_t *),
                              (apr_sockaddr_t *)peer)) {
            return 1;
        }
    }
    return 0;
}

void oas_certificate_fill(request_rec *r, oas_request_t *in)
{
    const oas_certificate_header_t *header = &oas_server_config(r->server)->certificate_header;

    /* by the connection's own peer: what mod_remoteip made of it comes from headers */
    if (header->name != NULL && is_trusted(r->connection->client_addr, header->peers)) {
        from_header(r, header, in); /* mod_ssl has the balancer's certificate, if any */
    } else {
        from_ssl(r, in);
    }
}
