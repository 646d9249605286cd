/* SPDX-License-Identifier: Apache-2.0 */
#include "builtin.h"

#include <string.h>
#include "../base/bytes.h"
#include "../base/json.h"
#include "../store/user.h"
#include "hash.h"
#include "hasher.h"
#include "password.h"
#include "subject.h"

/*
 * Now that the password is here in clear, its hash can be made anew. When that fails the old one
 * serves as before, and the next login tries again.
 */
static const char *upgrade(struct oas_db *db, const oas_builtin_t *how, const oas_user_t *row,
                           const char *password, apr_pool_t *pool)
{
    const char *proof = oas_password_proof(row->password_hash, pool);
    const char *hash;
    apr_status_t rv;

    if (!oas_password_outdated(row->password_hash, how->cost) ||
        oas_hasher_hash(how->hasher, &hash, password, how->cost, pool) != APR_SUCCESS) {
        return proof;
    }
    rv = oas_store_user_rehash(db, row->name, proof, hash, pool);
    oas_db_release(db);
    return rv == APR_SUCCESS ? oas_password_proof(hash, pool) : proof;
}

oas_password_result_t oas_builtin_check(struct oas_db *db, const oas_builtin_t *how,
                                        const char *user, const char *password,
                                        oas_builtin_user_t *out, apr_pool_t *pool)
{
    oas_user_t row = {0};
    apr_status_t rv = oas_store_user_load(db, oas_fold_case(user, pool), &row, pool);
    json_t *stored;
    int known, matches;

    oas_db_release(db); /* hashing takes long */
    if (rv != APR_SUCCESS && rv != APR_ENOENT && rv != APR_EINVAL) {
        return OAS_PASSWORD_UNAVAILABLE;
    }
    known = rv == APR_SUCCESS;
    if (oas_hasher_matches(how->hasher, password, row.password_hash, how->cost, &matches,
                           how->waited) != APR_SUCCESS) {
        return OAS_PASSWORD_BUSY;
    }
    if (!matches || row.locked) {
        return known ? OAS_PASSWORD_DENIED : OAS_PASSWORD_UNKNOWN;
    }
    if (oas_json_parse(&stored, row.claims, strlen(row.claims), OAS_CLAIMS_MAX, pool) !=
        APR_SUCCESS) {
        stored = oas_json_object(pool);
    }
    out->name = row.name;
    out->claims = stored;
    out->proof = upgrade(db, how, &row, password, pool);
    return OAS_PASSWORD_GRANTED;
}
