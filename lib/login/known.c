/* SPDX-License-Identifier: Apache-2.0 */
#include "known.h"

#include <string.h>
#include <apr_strings.h>
#include "../base/secret.h"
#include "cookie.h"

#define PART_BYTES 16
#define PART_LEN   22 /* base64url of them */
#define SECONDS    (OAS_KNOWN_DAYS * 24 * 3600)

/* What the cookie says. */
typedef struct {
    const char *device; /* NULL: none, or not ours */
    const char *proofs[OAS_KNOWN_ACCOUNTS];
    int count;
} known_t;

static const char *cookie_name(const oas_tx_t *tx)
{
    return apr_pstrcat(tx->pool, tx->issuer->cookie_name, "-known", NULL);
}

static int is_part(const char *text, apr_size_t len, apr_pool_t *pool)
{
    oas_bytes_t bytes;

    return len == PART_LEN && oas_base64url_decode(pool, text, len, &bytes) == APR_SUCCESS;
}

static known_t read_cookie(const oas_tx_t *tx)
{
    const char *p = oas_cookie_value(tx->request.cookie, cookie_name(tx), tx->pool);
    known_t known = {0};

    while (p != NULL) {
        apr_size_t len = strcspn(p, ".");

        if (!is_part(p, len, tx->pool) || known.count == OAS_KNOWN_ACCOUNTS) {
            return (known_t){0};
        }
        if (known.device == NULL) {
            known.device = apr_pstrmemdup(tx->pool, p, len);
        } else {
            known.proofs[known.count++] = apr_pstrmemdup(tx->pool, p, len);
        }
        p = p[len] == '.' ? p + len + 1 : NULL;
    }
    return known;
}

/* The proof under one secret, or NULL. The account's name has the issuer in it. */
static const char *prove(const oas_tx_t *tx, int secret, const char *device,
                         const unsigned char account[OAS_SHA256_LEN])
{
    const oas_secret_t *by = APR_ARRAY_IDX(tx->issuer->secrets, secret, oas_secret_t *);
    unsigned char message[PART_LEN + OAS_SHA256_LEN];
    unsigned char mac[OAS_SHA256_LEN];

    memcpy(message, device, PART_LEN);
    memcpy(message + PART_LEN, account, OAS_SHA256_LEN);
    return oas_hmac_sha256(by->known_key, sizeof(by->known_key), message, sizeof(message), mac) ==
                   APR_SUCCESS
               ? oas_base64url_encode(tx->pool, mac, PART_BYTES)
               : NULL;
}

/* Which of the cookie's proofs is this account's, or -1. */
static int find_proof(const oas_tx_t *tx, const known_t *known,
                      const unsigned char account[OAS_SHA256_LEN])
{
    int secret, i;

    for (secret = 0; known->count > 0 && secret < tx->issuer->secrets->nelts; secret++) {
        const char *proof = prove(tx, secret, known->device, account);

        for (i = 0; i < known->count; i++) {
            if (proof != NULL && oas_equal(proof, known->proofs[i], PART_LEN)) {
                return i;
            }
        }
    }
    return -1;
}

const char *oas_known_device(const oas_tx_t *tx, const unsigned char account[OAS_SHA256_LEN])
{
    known_t known = read_cookie(tx);

    return find_proof(tx, &known, account) >= 0 ? known.device : NULL;
}

static const char *new_device(apr_pool_t *pool)
{
    unsigned char random[PART_BYTES];

    return oas_random(random, sizeof(random)) == APR_SUCCESS
               ? oas_base64url_encode(pool, random, sizeof(random))
               : NULL;
}

void oas_known_remember(oas_tx_t *tx, const unsigned char account[OAS_SHA256_LEN])
{
    known_t known = read_cookie(tx);
    int before = find_proof(tx, &known, account);
    const char *value, *proof;
    int i, kept;

    if (known.device == NULL) {
        known.device = new_device(tx->pool);
    }
    proof = known.device != NULL ? prove(tx, 0, known.device, account) : NULL;
    if (proof == NULL) {
        return;
    }
    value = apr_pstrcat(tx->pool, known.device, ".", proof, NULL);
    for (i = 0, kept = 1; i < known.count && kept < OAS_KNOWN_ACCOUNTS; i++) {
        if (i != before) {
            value = apr_pstrcat(tx->pool, value, ".", known.proofs[i], NULL);
            kept++;
        }
    }
    tx->set_cookie[OAS_COOKIE_KNOWN] =
        apr_psprintf(tx->pool, "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s",
                     cookie_name(tx), value, SECONDS, tx->issuer->cookie_secure ? "; Secure" : "");
}
