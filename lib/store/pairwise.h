/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file pairwise.h
 * The salt of pairwise subjects (OpenID Connect Core section 8.1).
 */
#ifndef OAS_STORE_PAIRWISE_H
#define OAS_STORE_PAIRWISE_H

#include "../base/subject.h"
#include "db.h"

/** Made at random when the schema was applied; never changes, so it may be kept for ever. */
apr_status_t oas_store_pairwise_salt(oas_db_t *db, unsigned char salt[OAS_SALT_LEN],
                                     apr_pool_t *pool);

#endif
