/* SPDX-License-Identifier: Apache-2.0 */
#include "hash.h"

#include <stdlib.h>
#include <crypt.h>
#include <apr_strings.h>
#include "../base/bytes.h"

/* A yescrypt hash at libxcrypt's default cost of 256 random bits that were thrown away. */
static const char dummy[] =
    "$y$j9T$H1udHQs8PFEPo/4opVNX81$GG8JXEoiUecYwGsJ4SjlEnWbbaX5SmTk6k21B58vA76";

/* crypt() with its 32 kB of working memory on the heap, wiped afterwards; NULL when it cannot. */
static char *crypt_once(const char *password, const char *setting, struct crypt_data *data)
{
    char *out = crypt_r(password, setting, data);

    return out != NULL && out[0] != '*' ? out : NULL;
}

static void release(struct crypt_data *data)
{
    if (data != NULL) {
        oas_wipe(data, sizeof(*data));
        free(data);
    }
}

apr_status_t oas_password_hash(const char **out, const char *password, apr_pool_t *pool)
{
    struct crypt_data *data = calloc(1, sizeof(*data));
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    const char *hash = NULL;

    if (data != NULL &&
        crypt_gensalt_rn("$y$", 0, NULL, 0, setting, (int)sizeof(setting)) != NULL) {
        hash = crypt_once(password, setting, data);
    }
    *out = hash != NULL ? apr_pstrdup(pool, hash) : NULL;
    release(data);
    return *out != NULL ? APR_SUCCESS : APR_EGENERAL;
}

int oas_password_matches(const char *password, const char *hash)
{
    struct crypt_data *data = calloc(1, sizeof(*data));
    const char *computed = NULL;
    int matches;

    if (data != NULL) {
        computed = crypt_once(password, hash != NULL ? hash : dummy, data);
    }
    matches = hash != NULL && oas_equal_str(computed, hash);
    release(data);
    return matches;
}
