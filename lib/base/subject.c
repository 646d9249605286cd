/* SPDX-License-Identifier: Apache-2.0 */
#include "subject.h"

#include <string.h>
#include <apr_strings.h>
#include "bytes.h"

int oas_sector_valid(const char *text)
{
    apr_size_t len = strlen(text);

    return len > 0 && len <= OAS_SECTOR_MAX &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-_:[]") == len;
}

/* base64url of the first `bytes` of the message's HMAC, or NULL. No part of a message can hold a
 * line feed, so that none of another use reads alike. */
static const char *derive(const unsigned char salt[OAS_SALT_LEN], const char *message,
                          apr_size_t bytes, apr_pool_t *pool)
{
    unsigned char mac[OAS_SHA256_LEN];

    if (oas_hmac_sha256(salt, OAS_SALT_LEN, message, strlen(message), mac) != APR_SUCCESS) {
        return NULL;
    }
    return oas_base64url_encode(pool, mac, bytes);
}

const char *oas_subject_pairwise(const unsigned char salt[OAS_SALT_LEN], const char *sector,
                                 const char *sub, apr_pool_t *pool)
{
    return derive(salt, apr_pstrcat(pool, sector, "\n", sub, NULL), OAS_SHA256_LEN, pool);
}

const char *oas_subject_for(const oas_tx_t *tx, const oas_client_t *client, const char *sub)
{
    if (client->sector == NULL || sub == NULL) {
        return sub;
    }
    return tx->salt != NULL ? oas_subject_pairwise(tx->salt, client->sector, sub, tx->pool) : NULL;
}

const char *oas_sid_for(const oas_tx_t *tx, const oas_client_t *client, const char *sid)
{
    if (client->sector == NULL || sid == NULL) {
        return sid;
    }
    return tx->salt == NULL
               ? NULL
               : derive(tx->salt, apr_pstrcat(tx->pool, "sid\n", client->sector, "\n", sid, NULL),
                        OAS_ID_LEN, tx->pool);
}

const char *oas_subject_mark(const oas_issuer_t *issuer, const char *sub, apr_pool_t *pool)
{
    const oas_secret_t *secret = APR_ARRAY_IDX(issuer->secrets, 0, const oas_secret_t *);

    return derive(secret->log_key, apr_pstrcat(pool, issuer->url, "\n", sub, NULL),
                  OAS_SUBJECT_MARK_LEN, pool);
}

int oas_subject_is(const oas_tx_t *tx, const oas_client_t *client, const char *told,
                   const char *sub)
{
    return oas_equal_str(told, oas_subject_for(tx, client, sub));
}
