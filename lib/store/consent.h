/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file consent.h
 * What a user remembers having allowed a client for one API. Writing one is part of
 * oas_store_code_put; reading one is part of oas_store_session_load.
 */
#ifndef OAS_STORE_CONSENT_H
#define OAS_STORE_CONSENT_H

#include "db.h"

/** Withdraws a consent and revokes the grants of that client for that subject. APR_ENOENT: none. */
apr_status_t oas_store_consent_withdraw(oas_db_t *db, const char *sub, const char *client_id,
                                        const char *resource, apr_pool_t *pool);

#endif
