/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate.h"

#include <string.h>
#include <strings.h>
#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include "client_keys.h"

/* Attribute types by the names of RFC 4514 section 3, which have no case, and by two common ones.
 * OpenSSL's names have one, and its "uid" is not UID. */
static const struct {
    const char *name, *openssl;
} type_names[] = {
    {"CN", "CN"},
    {"L", "L"},
    {"ST", "ST"},
    {"O", "O"},
    {"OU", "OU"},
    {"C", "C"},
    {"STREET", "street"},
    {"DC", "DC"},
    {"UID", "UID"},
    {"SERIALNUMBER", "serialNumber"},
    {"EMAILADDRESS", "emailAddress"},
};

static apr_status_t name_cleanup(void *baton)
{
    X509_NAME_free(baton);
    return APR_SUCCESS;
}

static apr_status_t certificate_cleanup(void *baton)
{
    X509_free(baton);
    return APR_SUCCESS;
}

static ASN1_OBJECT *find_type(const char *text)
{
    apr_size_t i;

    for (i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++) {
        if (strcasecmp(text, type_names[i].name) == 0) {
            return OBJ_txt2obj(type_names[i].openssl, 0);
        }
    }
    return OBJ_txt2obj(text, 0); /* OpenSSL's names, and numbers with dots */
}

/* Reads "type=" from *text; NULL when there is none. */
static ASN1_OBJECT *read_type(const char **text, apr_pool_t *pool)
{
    const char *start = *text + strspn(*text, " ");
    apr_size_t len = strcspn(start, "=,+\\\"#;<> ");
    const char *end = start + len + strspn(start + len, " ");

    if (len == 0 || *end != '=') {
        return NULL;
    }
    *text = end + 1;
    return find_type(apr_pstrmemdup(pool, start, len));
}

/* One escaped character behind its backslash (RFC 4514 section 3: pair); 0 when it is none. */
static int read_pair(const char **text, unsigned char *out)
{
    char digits[3];

    if (**text != '\0' && strchr(" \"#+,;<=>\\", **text) != NULL) {
        *out = (unsigned char)*(*text)++;
        return 1;
    }
    apr_cpystrn(digits, *text, sizeof(digits));
    if (oas_hex_decode(digits, out, 1) != APR_SUCCESS) {
        return 0;
    }
    *text += 2;
    return 1;
}

/* Reads a value up to the next unescaped ',' or '+'; its length, or -1. */
static int read_value(const char **text, unsigned char *out)
{
    unsigned char *p = out;

    *text += strspn(*text, " ");
    if (**text == '#') { /* BER in hex: no common tool writes it for the types above */
        return -1;
    }
    while (**text != '\0' && **text != ',' && **text != '+') {
        if (strchr("\";<>", **text) != NULL) {
            return -1;
        }
        if (**text == '\\') {
            (*text)++;
            if (!read_pair(text, p)) {
                return -1;
            }
            p++;
        } else {
            *p++ = (unsigned char)*(*text)++;
        }
    }
    return p > out ? (int)(p - out) : -1;
}

/* RFC 4514 writes the last RDN first, so each one goes before those read earlier. */
static int read_attributes(X509_NAME *name, const char *text, apr_pool_t *pool)
{
    unsigned char *value = apr_palloc(pool, strlen(text) + 1);
    int joined = 0; /* 1: behind a '+', so of the RDN added last */

    for (;;) {
        ASN1_OBJECT *type = read_type(&text, pool);
        int len = type != NULL ? read_value(&text, value) : -1;
        int ok = len > 0 &&
                 X509_NAME_add_entry_by_OBJ(name, type, MBSTRING_UTF8, value, len, 0, joined) == 1;

        ASN1_OBJECT_free(type);
        if (!ok || *text == '\0') {
            return ok;
        }
        joined = *text++ == '+';
    }
}

static X509_NAME *read_subject(const char *text, apr_pool_t *pool)
{
    X509_NAME *name = X509_NAME_new();
    int ok;

    if (name == NULL) {
        return NULL;
    }
    apr_pool_cleanup_register(pool, name, name_cleanup, apr_pool_cleanup_null);
    ERR_set_mark();
    ok = read_attributes(name, text, pool);
    ERR_pop_to_mark();
    return ok ? name : NULL;
}

int oas_certificate_subject_valid(const char *text, apr_pool_t *pool)
{
    return read_subject(text, pool) != NULL;
}

const char *oas_certificate_thumbprint(const oas_tx_t *tx)
{
    unsigned char hash[OAS_SHA256_LEN];

    if (tx->request.certificate.len == 0) {
        return NULL;
    }
    oas_sha256(tx->request.certificate.data, tx->request.certificate.len, hash);
    return oas_base64url_encode(tx->pool, hash, sizeof(hash));
}

static X509 *read_certificate(const oas_tx_t *tx)
{
    const unsigned char *p = tx->request.certificate.data;
    const unsigned char *end = p + tx->request.certificate.len;
    X509 *certificate;

    ERR_set_mark();
    certificate = d2i_X509(NULL, &p, (long)tx->request.certificate.len);
    ERR_pop_to_mark();
    if (certificate != NULL) {
        apr_pool_cleanup_register(tx->pool, certificate, certificate_cleanup,
                                  apr_pool_cleanup_null);
    }
    return p == end ? certificate : NULL;
}

static const char *subject_fault(oas_tx_t *tx, X509 *certificate)
{
    X509_NAME *wanted = read_subject(tx->client->certificate_value, tx->pool);
    int equal;

    if (wanted == NULL) {
        return "the registered subject is no distinguished name";
    }
    ERR_set_mark();
    equal = X509_NAME_cmp(wanted, X509_get_subject_name(certificate)) == 0;
    ERR_pop_to_mark();
    return equal ? NULL : "the subject is another one";
}

static const char *dns_fault(oas_tx_t *tx, X509 *certificate)
{
    const char *name = tx->client->certificate_value;
    int found;

    ERR_set_mark();
    /* a name with a dot in front would stand for all below it */
    found = *name != '.' &&
            X509_check_host(certificate, name, strlen(name),
                            X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                            NULL) == 1;
    ERR_pop_to_mark();
    return found ? NULL : "no alternative name is the registered DNS name";
}

static oas_outcome_t refuse(oas_tx_t *tx, const char *why)
{
    return oas_refuse(tx, OAS_TAG(00688), OAS_E_CERTIFICATE_INVALID, why);
}

static oas_outcome_t check_named(oas_tx_t *tx, X509 *certificate)
{
    const char *why;

    if (!tx->request.certificate_verified) {
        return refuse(tx, "no trusted CA has issued it");
    }
    switch (tx->client->certificate) {
    case OAS_CERTIFICATE_SUBJECT:
        why = subject_fault(tx, certificate);
        break;
    case OAS_CERTIFICATE_SAN_DNS:
        why = dns_fault(tx, certificate);
        break;
    default:
        why = "no name is registered";
        break;
    }
    return why == NULL ? OAS_NEXT : refuse(tx, why);
}

static int is_valid_now(const X509 *certificate, apr_interval_time_t skew)
{
    time_t now = (time_t)apr_time_sec(apr_time_now());
    time_t late = now + (time_t)apr_time_sec(skew);
    time_t early = now - (time_t)apr_time_sec(skew);

    int valid;

    ERR_set_mark();
    valid = X509_cmp_time(X509_get0_notBefore(certificate), &late) < 0 &&
            X509_cmp_time(X509_get0_notAfter(certificate), &early) > 0;
    ERR_pop_to_mark();
    return valid;
}

static oas_outcome_t check_self_signed(oas_tx_t *tx, X509 *certificate)
{
    const oas_jwks_t *keys = NULL;
    int round;

    if (!is_valid_now(certificate, tx->issuer->clock_skew)) {
        return refuse(tx, "it has expired, or is not valid yet");
    }
    for (round = 0; round < 2; round++) {
        const oas_jwks_t *lacking = keys;
        if (oas_client_keys(tx, lacking, &keys) != OAS_NEXT) {
            return OAS_FAILED;
        }
        if (keys == NULL) {
            break;
        }
        if (oas_jwks_has_certificate(keys, certificate)) {
            return OAS_NEXT;
        }
    }
    return refuse(tx, "its key is none of the client's");
}

oas_outcome_t oas_check_certificate(oas_tx_t *tx, unsigned method)
{
    X509 *certificate;

    if (tx->request.certificate.len == 0) {
        return oas_refuse(tx, OAS_TAG(00689), OAS_E_CERTIFICATE_MISSING, NULL);
    }
    certificate = read_certificate(tx);
    if (certificate == NULL) {
        return refuse(tx, "it is no X.509 certificate");
    }
    return method == OAS_AUTH_TLS ? check_named(tx, certificate)
                                  : check_self_signed(tx, certificate);
}

oas_outcome_t oas_bind_certificate(oas_tx_t *tx)
{
    if (!tx->client->bound_tokens) {
        return OAS_NEXT;
    }
    tx->cnf = oas_certificate_thumbprint(tx);
    if (tx->cnf == NULL && tx->endpoint == OAS_EP_TOKEN) {
        return oas_refuse(tx, OAS_TAG(00690), OAS_E_CERTIFICATE_MISSING,
                          "the client's tokens are bound to a certificate");
    }
    return OAS_NEXT;
}
