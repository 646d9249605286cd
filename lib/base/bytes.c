/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *oas_base64url_encode(apr_pool_t *pool, const void *data, apr_size_t len)
{
    const unsigned char *in = data;
    char *out = apr_palloc(pool, (len + 2) / 3 * 4 + 1);
    char *p = out;
    apr_size_t i;

    for (i = 0; i + 2 < len; i += 3) {
        unsigned v = in[i] << 16 | in[i + 1] << 8 | in[i + 2];
        *p++ = url_alphabet[v >> 18];
        *p++ = url_alphabet[v >> 12 & 63];
        *p++ = url_alphabet[v >> 6 & 63];
        *p++ = url_alphabet[v & 63];
    }
    if (len - i == 1) {
        *p++ = url_alphabet[in[i] >> 2];
        *p++ = url_alphabet[(in[i] & 3) << 4];
    } else if (len - i == 2) {
        *p++ = url_alphabet[in[i] >> 2];
        *p++ = url_alphabet[(in[i] & 3) << 4 | in[i + 1] >> 4];
        *p++ = url_alphabet[(in[i + 1] & 15) << 2];
    }
    *p = '\0';
    return out;
}

/* What a character stands for, and this bit; 0: it is none of the alphabet. */
#define GOOD     64
#define OF(c, v) [c] = GOOD | (v)
/* clang-format off */
#define COMMON \
    OF('A', 0), OF('B', 1), OF('C', 2), OF('D', 3), OF('E', 4), OF('F', 5), \
    OF('G', 6), OF('H', 7), OF('I', 8), OF('J', 9), OF('K', 10), OF('L', 11), \
    OF('M', 12), OF('N', 13), OF('O', 14), OF('P', 15), OF('Q', 16), OF('R', 17), \
    OF('S', 18), OF('T', 19), OF('U', 20), OF('V', 21), OF('W', 22), OF('X', 23), \
    OF('Y', 24), OF('Z', 25), OF('a', 26), OF('b', 27), OF('c', 28), OF('d', 29), \
    OF('e', 30), OF('f', 31), OF('g', 32), OF('h', 33), OF('i', 34), OF('j', 35), \
    OF('k', 36), OF('l', 37), OF('m', 38), OF('n', 39), OF('o', 40), OF('p', 41), \
    OF('q', 42), OF('r', 43), OF('s', 44), OF('t', 45), OF('u', 46), OF('v', 47), \
    OF('w', 48), OF('x', 49), OF('y', 50), OF('z', 51), OF('0', 52), OF('1', 53), \
    OF('2', 54), OF('3', 55), OF('4', 56), OF('5', 57), OF('6', 58), OF('7', 59), \
    OF('8', 60), OF('9', 61)
/* clang-format on */
static const unsigned char url_values[256] = {COMMON, OF('-', 62), OF('_', 63)};
static const unsigned char plain_values[256] = {COMMON, OF('+', 62), OF('/', 63)};

/* The value of four, or something negative. */
static int base64_four(const unsigned char *text, const unsigned char *values)
{
    int a = values[text[0]], b = values[text[1]], c = values[text[2]], d = values[text[3]];

    return (a & b & c & d & GOOD) == 0 ? -1
                                       : (a & 63) << 18 | (b & 63) << 12 | (c & 63) << 6 | (d & 63);
}

static apr_status_t base64_decode(apr_pool_t *pool, const char *text, apr_size_t len,
                                  const unsigned char *values, oas_bytes_t *out)
{
    unsigned char *data;
    unsigned char *p;
    unsigned bits = 0;
    int have = 0;
    apr_size_t i;

    if (len % 4 == 1 || len > INT_MAX) {
        return APR_EINVAL;
    }
    data = p = apr_palloc(pool, len / 4 * 3 + 4);
    for (i = 0; len - i >= 4; i += 4) {
        int v = base64_four((const unsigned char *)text + i, values);
        if (v < 0) {
            return APR_EINVAL;
        }
        *p++ = (unsigned char)(v >> 16);
        *p++ = (unsigned char)(v >> 8);
        *p++ = (unsigned char)v;
    }
    for (; i < len; i++) {
        unsigned v = values[(unsigned char)text[i]];
        if (v == 0) {
            return APR_EINVAL;
        }
        bits = bits << 6 | (v & 63);
        have += 6;
        if (have >= 8) {
            have -= 8;
            *p++ = (unsigned char)(bits >> have);
            bits &= (1u << have) - 1;
        }
    }
    if (bits != 0) {
        return APR_EINVAL;
    }
    *p = '\0';
    out->data = data;
    out->len = p - data;
    return APR_SUCCESS;
}

apr_status_t oas_base64url_decode(apr_pool_t *pool, const char *text, apr_size_t len,
                                  oas_bytes_t *out)
{
    return base64_decode(pool, text, len, url_values, out);
}

apr_status_t oas_base64_decode(apr_pool_t *pool, const char *text, apr_size_t len, oas_bytes_t *out)
{
    apr_size_t padding = 0;

    if (len % 4 != 0) {
        return APR_EINVAL;
    }
    while (padding < 2 && padding < len && text[len - 1 - padding] == '=') {
        padding++;
    }
    return base64_decode(pool, text, len - padding, plain_values, out);
}

char *oas_hex_encode(apr_pool_t *pool, const void *data, apr_size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *in = data;
    char *out = apr_palloc(pool, 2 * len + 1);
    apr_size_t i;

    for (i = 0; i < len; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    out[2 * len] = '\0';
    return out;
}

apr_status_t oas_hex_decode(const char *text, unsigned char *out, apr_size_t len)
{
    apr_size_t i;

    if (strlen(text) != 2 * len) {
        return APR_EINVAL;
    }
    for (i = 0; i < len; i++) {
        int high = OPENSSL_hexchar2int((unsigned char)text[2 * i]);
        int low = OPENSSL_hexchar2int((unsigned char)text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return APR_EINVAL;
        }
        out[i] = (unsigned char)(high << 4 | low);
    }
    return APR_SUCCESS;
}

void oas_put_digits(char *out, int width, apr_uint64_t number)
{
    while (width-- > 0) {
        out[width] = (char)('0' + number % 10);
        number /= 10;
    }
}

apr_status_t oas_random(void *out, apr_size_t len)
{
    if (len > INT_MAX || RAND_bytes(out, (int)len) != 1) {
        return APR_EGENERAL;
    }
    return APR_SUCCESS;
}

/* Looking an algorithm up by name takes several times as long as hashing a token. */
static CRYPTO_ONCE fetched = CRYPTO_ONCE_STATIC_INIT;
static EVP_MD *sha256;
static EVP_MD *sha512;
static EVP_MAC *hmac;

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    sha512 = EVP_MD_fetch(NULL, "SHA512", NULL);
    hmac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
}

/* Whoever needs a digest needs it to be right: where OpenSSL has no memory left, httpd's pools
 * abort as well. */
static void digest(EVP_MD *const *algorithm, const void *data, apr_size_t len, unsigned char *out)
{
    if (!CRYPTO_THREAD_run_once(&fetched, fetch) ||
        EVP_Digest(data, len, out, NULL, *algorithm, NULL) != 1) {
        abort();
    }
}

void oas_sha256(const void *data, apr_size_t len, unsigned char out[OAS_SHA256_LEN])
{
    digest(&sha256, data, len, out);
}

void oas_sha512(const void *data, apr_size_t len, unsigned char out[OAS_SHA512_LEN])
{
    digest(&sha512, data, len, out);
}

apr_status_t oas_hmac_sha256(const void *key, apr_size_t key_len, const void *data, apr_size_t len,
                             unsigned char out[OAS_SHA256_LEN])
{
    char name[] = OSSL_DIGEST_NAME_SHA2_256;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                           OSSL_PARAM_construct_end()};
    EVP_MAC_CTX *ctx;
    size_t written = 0;
    int ok;

    ERR_set_mark();
    ctx = CRYPTO_THREAD_run_once(&fetched, fetch) && hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;
    ok = ctx != NULL && EVP_MAC_init(ctx, key, key_len, params) == 1 &&
         EVP_MAC_update(ctx, data, len) == 1 &&
         EVP_MAC_final(ctx, out, &written, OAS_SHA256_LEN) == 1 && written == OAS_SHA256_LEN;
    EVP_MAC_CTX_free(ctx);
    ERR_pop_to_mark();
    return ok ? APR_SUCCESS : APR_EGENERAL;
}

const char *oas_etag(const char *text, apr_pool_t *pool)
{
    unsigned char hash[OAS_SHA256_LEN];

    oas_sha256(text, strlen(text), hash);
    return apr_pstrcat(pool, "\"", oas_hex_encode(pool, hash, 8), "\"", NULL);
}

int oas_equal(const void *a, const void *b, apr_size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

int oas_equal_str(const char *a, const char *b)
{
    apr_size_t len;

    if (a == NULL || b == NULL) {
        return 0;
    }
    len = strlen(a);
    return len == strlen(b) && oas_equal(a, b, len);
}

void oas_wipe(void *data, apr_size_t len)
{
    OPENSSL_cleanse(data, len);
}

typedef struct {
    void *data;
    apr_size_t len;
} wipe_t;

static apr_status_t wipe_cleanup(void *baton)
{
    wipe_t *w = baton;

    OPENSSL_cleanse(w->data, w->len);
    return APR_SUCCESS;
}

void oas_wipe_with_pool(apr_pool_t *pool, void *data, apr_size_t len)
{
    wipe_t *w = apr_palloc(pool, sizeof(*w));

    w->data = data;
    w->len = len;
    apr_pool_cleanup_register(pool, w, wipe_cleanup, apr_pool_cleanup_null);
}

/* Length of a well-formed multi-byte sequence at s (RFC 3629 section 4), or 0. */
static apr_size_t utf8_sequence(const unsigned char *s, apr_size_t len)
{
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    apr_size_t n;
    apr_size_t i;

    if (s[0] >= 0xc2 && s[0] <= 0xdf) {
        n = 2;
    } else if ((s[0] & 0xf0) == 0xe0) {
        n = 3;
        low = s[0] == 0xe0 ? 0xa0 : 0x80;
        high = s[0] == 0xed ? 0x9f : 0xbf;
    } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        n = 4;
        low = s[0] == 0xf0 ? 0x90 : 0x80;
        high = s[0] == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (n > len || s[1] < low || s[1] > high) {
        return 0;
    }
    for (i = 2; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return n;
}

/* How many characters of ASCII there are in a row, none of them NUL, counted by eights. */
static apr_size_t ascii_run(const unsigned char *s, apr_size_t len)
{
    const apr_uint64_t ones = ~APR_UINT64_C(0) / 255, tops = ones << 7;
    apr_size_t run = 0;
    apr_uint64_t word;

    for (; len - run >= sizeof(word); run += sizeof(word)) {
        memcpy(&word, s + run, sizeof(word));
        if (((word | (word - ones)) & tops) != 0) {
            break;
        }
    }
    return run;
}

int oas_utf8_valid(const char *text, apr_size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    apr_size_t i = ascii_run(s, len);

    while (i < len) {
        apr_size_t n = s[i] < 0x80 ? (s[i] != 0) : utf8_sequence(s + i, len - i);
        if (n == 0) {
            return 0;
        }
        i += n;
    }
    return 1;
}
