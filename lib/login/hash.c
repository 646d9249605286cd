/* SPDX-License-Identifier: Apache-2.0 */
#include "hash.h"

#include <stdlib.h>
#include <string.h>
#include <crypt.h>
#include <apr_strings.h>
#include "../base/bytes.h"

#define YESCRYPT     "$y$"
#define SALT_LEN     16
#define SETTING_SIZE CRYPT_GENSALT_OUTPUT_SIZE

/* A setting for a new hash; with NULL its salt is random. */
static int make_setting(char setting[SETTING_SIZE], int cost, const char *salt)
{
    return crypt_gensalt_rn(YESCRYPT, (unsigned long)cost, salt, salt != NULL ? SALT_LEN : 0,
                            setting, SETTING_SIZE) != NULL;
}

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

apr_status_t oas_password_hash(const char **out, const char *password, int cost, apr_pool_t *pool)
{
    struct crypt_data *data = calloc(1, sizeof(*data));
    char setting[SETTING_SIZE];
    const char *hash = NULL;

    if (data != NULL && make_setting(setting, cost, NULL)) {
        hash = crypt_once(password, setting, data);
    }
    *out = hash != NULL ? apr_pstrdup(pool, hash) : NULL;
    release(data);
    return *out != NULL ? APR_SUCCESS : APR_EGENERAL;
}

int oas_password_matches(const char *password, const char *hash, int cost)
{
    static const char salt[SALT_LEN + 1] = "nobody has this.";
    struct crypt_data *data = calloc(1, sizeof(*data));
    char nobody[SETTING_SIZE];
    const char *computed = NULL;
    int matches;

    if (data != NULL && (hash != NULL || make_setting(nobody, cost, salt))) {
        computed = crypt_once(password, hash != NULL ? hash : nobody, data);
    }
    matches = hash != NULL && oas_equal_str(computed, hash);
    release(data);
    return matches;
}

/* The place of a character in crypt(5)'s alphabet, or -1. */
static int digit(char c)
{
    static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;

    return at != NULL ? (int)(at - digits) : -1;
}

/*
 * How much memory a yescrypt setting takes: "$y$", then in one character each the flavour, log2(N)
 * and r, both counted from 1, as libxcrypt writes all its costs. 0: it is no such setting.
 */
static unsigned long long memory_of(const char *setting)
{
    const char *params = setting + strlen(YESCRYPT);
    int log2_n, r;

    if (strncmp(setting, YESCRYPT, strlen(YESCRYPT)) != 0 || digit(params[0]) < 0) {
        return 0;
    }
    log2_n = digit(params[1]) + 1;
    r = log2_n > 0 ? digit(params[2]) + 1 : 0;
    return log2_n > 0 && log2_n < 32 && r > 0 ? (128ULL * (unsigned)r) << log2_n : 0;
}

int oas_password_outdated(const char *hash, int cost)
{
    char setting[SETTING_SIZE];

    return make_setting(setting, cost, NULL) && memory_of(hash) < memory_of(setting);
}

const char *oas_password_proof(const char *hash, apr_pool_t *pool)
{
    unsigned char digest[OAS_SHA256_LEN];

    oas_sha256(hash, strlen(hash), digest);
    return oas_hex_encode(pool, digest, sizeof(digest));
}
