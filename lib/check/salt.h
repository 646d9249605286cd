/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file salt.h
 * The salt of pairwise subjects (base/subject.h), read from the database once in each process: it
 * never changes.
 */
#ifndef OAS_CHECK_SALT_H
#define OAS_CHECK_SALT_H

#include "../base/tx.h"

struct oas_db;

typedef struct oas_salt oas_salt_t;

/** A place for one issuer's salt, usable from many threads; wiped with the pool. */
apr_status_t oas_salt_create(oas_salt_t **out, apr_pool_t *pool);

/**
 * The salt, which lives as long as its place; asks the database when nobody has before.
 * @return OAS_DB_UNAVAILABLE or APR_EGENERAL when it could not be read; it is asked again next time
 */
apr_status_t oas_salt_get(oas_salt_t *salt, struct oas_db *db, const unsigned char **out,
                          apr_pool_t *pool);

/** Sets tx->salt where the subjects of `client` (NULL: nobody's) are pairwise. As oas_salt_get. */
apr_status_t oas_salt_for(oas_tx_t *tx, const oas_client_t *client);

/**
 * Step: sets tx->salt where somebody's subjects are pairwise: those of tx->client, or of whom
 * id_token_hint was for. Stands before everything that issues, so that a code or a refresh token is
 * never used up by a salt that cannot be read.
 */
oas_outcome_t oas_load_salt(oas_tx_t *tx);

#endif
