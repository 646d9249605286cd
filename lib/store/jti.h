/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file jti.h
 * Lists of token ids that live no longer than the tokens they name: assertions that were used
 * (RFC 7523 section 3, item 7), and access tokens without a grant that were revoked (RFC 7009).
 */
#ifndef OAS_STORE_JTI_H
#define OAS_STORE_JTI_H

#include "../base/tx.h"
#include "db.h"

/**
 * Takes a key for the first time.
 * @param key SHA-256 of what must be used once, its kind and owner included
 * @param expires seconds since 1970, after which the key may come again
 * @param attempt random, one per request: knows its own commit again
 * @return APR_EEXIST: it was taken before
 */
apr_status_t oas_store_jti_use(oas_db_t *db, const unsigned char key[OAS_SHA256_LEN],
                               apr_int64_t expires, const unsigned char attempt[OAS_ID_LEN],
                               apr_pool_t *pool);

/** Puts the jti of an access token on the list of revoked ones until `expires`. Safe to repeat. */
apr_status_t oas_store_jti_revoke(oas_db_t *db, const char *jti, apr_int64_t expires,
                                  apr_pool_t *pool);

/** *revoked: 1 when it is on that list; *now: seconds since 1970 by the database's clock. */
apr_status_t oas_store_jti_load(oas_db_t *db, const char *jti, int *revoked, apr_int64_t *now,
                                apr_pool_t *pool);

#endif
