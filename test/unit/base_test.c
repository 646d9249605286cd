/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <string.h>
#include <apr_strings.h>
#include "../../lib/base/refresh_token.h"
#include "../../lib/base/error.h"
#include "../../lib/base/handle.h"
#include "../../lib/base/log.h"
#include "../../lib/base/model.h"
#include "../../lib/base/params.h"
#include "../../lib/base/secret.h"
#include "../../lib/base/uri.h"
#include "../../lib/base/words.h"

/* ---- bytes ---- */

static const struct {
    const char *plain, *encoded;
} base64url[] = {
    {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
    {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}}; /* RFC 4648 10 */

START_TEST(base64url_vectors)
{
    const char *plain = base64url[_i].plain;
    const char *encoded = base64url[_i].encoded;
    oas_bytes_t out;

    ck_assert_str_eq(oas_base64url_encode(pool, plain, strlen(plain)), encoded);
    ck_assert_int_eq(oas_base64url_decode(pool, encoded, strlen(encoded), &out), APR_SUCCESS);
    ck_assert_uint_eq(out.len, strlen(plain));
    ck_assert_int_eq(memcmp(out.data, plain, out.len), 0);
}
END_TEST

static const char *const bad_base64url[] = {"A",    "Zg==",  "Zh",    "Zm9",   "Zm+v",
                                            "Zm/v", "Zm9v ", "Zm\n9", "AAAAA", "\xc3\xa4gg"};

START_TEST(base64url_refused)
{
    oas_bytes_t out;

    ck_assert_int_eq(oas_base64url_decode(pool, bad_base64url[_i], strlen(bad_base64url[_i]), &out),
                     APR_EINVAL);
}
END_TEST

START_TEST(base64_padding)
{
    oas_bytes_t out;

    ck_assert_int_eq(oas_base64_decode(pool, "Zm8=", 4, &out), APR_SUCCESS);
    ck_assert_uint_eq(out.len, 2);
    ck_assert_int_eq(oas_base64_decode(pool, "Zg==", 4, &out), APR_SUCCESS);
    ck_assert_uint_eq(out.len, 1);
    ck_assert_int_eq(oas_base64_decode(pool, "Zm8", 3, &out), APR_EINVAL);
    ck_assert_int_eq(oas_base64_decode(pool, "Z===", 4, &out), APR_EINVAL);
    ck_assert_int_eq(oas_base64_decode(pool, "Zm-v", 4, &out), APR_EINVAL);
}
END_TEST

START_TEST(hex)
{
    unsigned char out[3];

    ck_assert_str_eq(oas_hex_encode(pool, "\x00\x7f\xff", 3), "007fff");
    ck_assert_int_eq(oas_hex_decode("007FfF", out, 3), APR_SUCCESS);
    ck_assert_int_eq(memcmp(out, "\x00\x7f\xff", 3), 0);
    ck_assert_int_eq(oas_hex_decode("007f", out, 3), APR_EINVAL);
    ck_assert_int_eq(oas_hex_decode("00zz11", out, 3), APR_EINVAL);
}
END_TEST

START_TEST(equality)
{
    ck_assert(oas_equal_str("same", "same"));
    ck_assert(!oas_equal_str("same", "samE"));
    ck_assert(!oas_equal_str("same", "same "));
    ck_assert(!oas_equal_str(NULL, NULL));
}
END_TEST

START_TEST(wiped_with_pool)
{
    static char secret[] = "secret";
    apr_pool_t *sub;

    apr_pool_create(&sub, pool);
    oas_wipe_with_pool(sub, secret, sizeof(secret));
    apr_pool_destroy(sub);
    ck_assert_int_eq(secret[0], 0);
    ck_assert_int_eq(secret[5], 0);
}
END_TEST

static const struct {
    const char *text;
    int valid;
} utf8[] = {{"plain", 1},
            {"\xc3\xa4", 1},
            {"\xe2\x82\xac", 1},
            {"\xf0\x9f\x98\x80", 1},
            {"\xc0\xaf", 0},
            {"\xe0\x80\xaf", 0},
            {"\xed\xa0\x80", 0},
            {"\xf4\x90\x80\x80", 0},
            {"\xf5\x80\x80\x80", 0},
            {"\x80", 0},
            {"\xc3", 0},
            {"\xe2\x82", 0},
            {"\xff", 0},
            {"\xc3\x28", 0}};

START_TEST(utf8_validity)
{
    ck_assert_int_eq(oas_utf8_valid(utf8[_i].text, strlen(utf8[_i].text)), utf8[_i].valid);
}
END_TEST

START_TEST(utf8_nul)
{
    char text[] = "twenty-one characters";
    size_t i;

    ck_assert(!oas_utf8_valid("a\0b", 3));
    for (i = 0; i < strlen("twenty-one characters"); i++) {
        char kept = text[i];

        text[i] = '\0';
        ck_assert(!oas_utf8_valid(text, sizeof(text) - 1));
        text[i] = '\xeb';
        ck_assert(!oas_utf8_valid(text, sizeof(text) - 1));
        text[i] = kept;
    }
    ck_assert(oas_utf8_valid(text, sizeof(text) - 1));
}
END_TEST

/* ---- params ---- */

START_TEST(form_rfc6749_appendix_b)
{
    oas_params_t *params;
    const char *value = " %&+\xc2\xa3\xe2\x82\xac";

    ck_assert_int_eq(oas_params_parse(&params, "v=+%25%26%2B%C2%A3%E2%82%AC", 27, pool),
                     APR_SUCCESS);
    ck_assert_str_eq(oas_params_get(params, "v"), value);
    ck_assert_str_eq(oas_params_encode(params, pool), "v=%20%25%26%2B%C2%A3%E2%82%AC");
}
END_TEST

START_TEST(form_shapes)
{
    const char *text = "a=1&&b=&c&a=2&=x";
    oas_params_t *params;

    ck_assert_int_eq(oas_params_parse(&params, text, strlen(text), pool), APR_SUCCESS);
    ck_assert_str_eq(oas_params_get(params, "a"), "1");
    ck_assert_int_eq(oas_params_count(params, "a"), 2);
    ck_assert_ptr_null(oas_params_get(params, "b"));
    ck_assert_int_eq(oas_params_count(params, "b"), 1);
    ck_assert_int_eq(oas_params_count(params, "c"), 1);
    ck_assert_ptr_null(oas_params_get(params, "d"));
}
END_TEST

static const char *const bad_forms[] = {"a=%",   "a=%2",   "a=%zz",    "a=%00",    "%00=a",
                                        "a=%ff", "a=\xff", "a=%c3%28", "a=1&b=%2", "a=%ed%a0%80"};

START_TEST(form_refused)
{
    oas_params_t *params;

    ck_assert_int_eq(oas_params_parse(&params, bad_forms[_i], strlen(bad_forms[_i]), pool),
                     APR_EINVAL);
}
END_TEST

START_TEST(form_bounds)
{
    oas_params_t *params;
    char *many = apr_palloc(pool, 4 * (OAS_PARAMS_MAX + 1));
    char *big = apr_palloc(pool, OAS_PARAMS_MAX_LEN + 1);
    int i;

    for (i = 0; i <= OAS_PARAMS_MAX; i++) {
        memcpy(many + 4 * i, "a=1&", 4);
    }
    ck_assert_int_eq(oas_params_parse(&params, many, 4 * OAS_PARAMS_MAX, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_params_parse(&params, many, 4 * (OAS_PARAMS_MAX + 1), pool), APR_ENOSPC);
    memset(big, 'a', OAS_PARAMS_MAX_LEN + 1);
    ck_assert_int_eq(oas_params_parse(&params, big, OAS_PARAMS_MAX_LEN, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_params_parse(&params, big, OAS_PARAMS_MAX_LEN + 1, pool), APR_ENOSPC);
}
END_TEST

/* ---- words ---- */

START_TEST(words)
{
    oas_words_t *list;
    oas_words_t *part;
    char *many = "";
    int i;

    ck_assert_int_eq(oas_words_parse(&list, " openid  email openid", pool), APR_SUCCESS);
    ck_assert_int_eq(list->nelts, 2);
    ck_assert_str_eq(oas_words_join(list, pool), "openid email");
    ck_assert(oas_words_has(list, "email"));
    ck_assert(!oas_words_has(list, "Email"));
    ck_assert_int_eq(oas_words_parse(&part, "email", pool), APR_SUCCESS);
    ck_assert(oas_words_subset(part, list));
    ck_assert(!oas_words_subset(list, part));
    ck_assert(!oas_words_subset(list, NULL));
    ck_assert_int_eq(oas_words_parse(&list, NULL, pool), APR_SUCCESS);
    ck_assert_int_eq(list->nelts, 0);
    ck_assert_str_eq(oas_words_join(list, pool), "");
    for (i = 0; i <= OAS_WORDS_MAX; i++) {
        many = apr_psprintf(pool, "%s w%d", many, i);
    }
    ck_assert_int_eq(oas_words_parse(&list, many, pool), APR_ENOSPC);
    ck_assert_int_eq(oas_words_parse_own(&list, many, pool), APR_SUCCESS);
    ck_assert_int_eq(list->nelts, OAS_WORDS_MAX + 1);
    ck_assert_int_eq(oas_words_parse_own(&list, "a\"b", pool), APR_EINVAL);
    many = apr_pcalloc(pool, 6 * (OAS_WORDS_OWN_MAX + 1) + 1);
    for (i = 0; i <= OAS_WORDS_OWN_MAX; i++) {
        apr_snprintf(many + 6 * (apr_size_t)i, 7, " %05d", i);
    }
    ck_assert_int_eq(oas_words_parse_own(&list, many, pool), APR_SUCCESS);
    ck_assert_int_eq(list->nelts, OAS_WORDS_OWN_MAX); /* the last one is left out */
}
END_TEST

START_TEST(words_refused)
{
    oas_words_t *list;

    ck_assert_int_eq(oas_words_parse(&list, "a\"b", pool), APR_EINVAL);
    ck_assert_int_eq(oas_words_parse(&list, "a\\b", pool), APR_EINVAL);
    ck_assert_int_eq(oas_words_parse(&list, "a\tb", pool), APR_EINVAL);
    ck_assert_int_eq(oas_words_parse(&list, "\xc3\xa4", pool), APR_EINVAL);
}
END_TEST

/* ---- uri ---- */

static const struct {
    const char *uri;
    int valid;
    const char *origin;
} uris[] = {
    {"https://app.example/cb", 1, "https://app.example"},
    {"HTTPS://App.Example:443/cb?x=1", 1, "https://app.example"},
    {"http://127.0.0.1:8080/cb", 1, "http://127.0.0.1:8080"},
    {"http://[::1]:80/cb", 1, "http://[::1]"},
    {"com.example.app:/cb", 1, NULL},
    {"https://app.example", 1, "https://app.example"},
    {"/relative", 0, NULL},
    {"https://", 0, NULL},
    {"https://a b/", 0, NULL},
    {"https://a/%zz", 0, NULL},
    {"https://a/%4", 0, NULL},
    {"https://a:99999/", 0, NULL},
    {"https://a:0/", 0, NULL},
    {"https://a:x/", 0, NULL},
    {"https://[::1/", 0, NULL},
    {"https://a\\b/", 0, NULL},
    {"1http://a/", 0, NULL},
    {"", 0, NULL},
    {"https://\xc3\xa4.example/", 0, NULL},
};

START_TEST(uri_cases)
{
    oas_uri_t uri;
    const char *origin;

    ck_assert_int_eq(oas_uri_parse(&uri, uris[_i].uri, pool),
                     uris[_i].valid ? APR_SUCCESS : APR_EINVAL);
    if (!uris[_i].valid) {
        return;
    }
    origin = oas_uri_origin(&uri, pool);
    if (uris[_i].origin == NULL) {
        ck_assert_ptr_null(origin);
    } else {
        ck_assert_str_eq(origin, uris[_i].origin);
    }
}
END_TEST

START_TEST(uri_parts)
{
    oas_uri_t uri;

    ck_assert_int_eq(oas_uri_parse(&uri, "https://u:p@h.example:8443/p?q=1#f", pool), APR_SUCCESS);
    ck_assert_str_eq(uri.host, "h.example");
    ck_assert_str_eq(uri.port, "8443");
    ck_assert_str_eq(uri.path, "/p");
    ck_assert_str_eq(uri.query, "q=1");
    ck_assert_str_eq(uri.fragment, "f");
    ck_assert_int_eq(uri.has_userinfo, 1);
    ck_assert(!oas_uri_loopback(&uri, 1));
    ck_assert_int_eq(oas_uri_parse(&uri, "http://as1.localhost/", pool), APR_SUCCESS);
    ck_assert(oas_uri_loopback(&uri, 1));
    ck_assert(!oas_uri_loopback(&uri, 0));
}
END_TEST

static const struct {
    const char *registered, *requested;
    int any_port, matches;
} redirects[] = {
    {"https://a.example/cb", "https://a.example/cb", 0, 1},
    {"https://a.example/cb", "https://a.example/cb/", 0, 0},
    {"https://a.example/cb", "https://a.example/CB", 0, 0},
    {"https://a.example/cb", "https://A.example/cb", 0, 0},
    {"https://a.example/cb", "https://a.example/cb?x=1", 0, 0},
    {"https://a.example/cb", "https://a.example:443/cb", 1, 0},
    {"https://a.example/cb", "https://a.example.evil/cb", 1, 0},
    {"http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", 1, 1},
    {"http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", 0, 0},
    {"http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb", 1, 1},
    {"http://127.0.0.1/cb", "http://127.0.0.1:51004/cb?x=1", 1, 0},
    {"http://127.0.0.1/cb", "http://127.0.0.1:51004/other", 1, 0},
    {"http://127.0.0.1/cb", "http://127.0.0.1:1@evil.example/cb", 1, 0},
    {"http://127.0.0.1/cb", "http://evil@127.0.0.1:80/cb", 1, 0},
    {"http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", 1, 0},
    {"http://127.0.0.1/cb", "http://127.0.0.1:99999/cb", 1, 0},
    {"http://127.0.0.1/cb", "https://127.0.0.1:8443/cb", 1, 0},
    {"http://[::1]/cb", "http://[::1]:51004/cb", 1, 1},
    {"http://[::1]/cb", "http://127.0.0.1:51004/cb", 1, 0},
    {"http://localhost/cb", "http://localhost:51004/cb", 1, 0},
    {"com.example.app:/cb", "com.example.app:/cb", 1, 1},
    {"com.example.app:/cb", "com.example.app:/cb2", 1, 0},
};

START_TEST(redirect_uri_cases)
{
    ck_assert_int_eq(oas_redirect_uri_matches(redirects[_i].registered, redirects[_i].requested,
                                              redirects[_i].any_port, pool),
                     redirects[_i].matches);
}
END_TEST

START_TEST(uri_append)
{
    ck_assert_str_eq(oas_uri_append("https://a/cb", "c=1", 0, pool), "https://a/cb?c=1");
    ck_assert_str_eq(oas_uri_append("https://a/cb?x=1", "c=1", 0, pool), "https://a/cb?x=1&c=1");
    ck_assert_str_eq(oas_uri_append("https://a/cb?", "c=1", 0, pool), "https://a/cb?c=1");
    ck_assert_str_eq(oas_uri_append("https://a/cb", "c=1", 1, pool), "https://a/cb#c=1");
}
END_TEST

/* ---- secret, handle ---- */

START_TEST(hkdf_rfc5869_case_2)
{
    static const unsigned char expected[OAS_KEY_LEN] = {
        0xb1, 0x1e, 0x39, 0x8d, 0xc8, 0x03, 0x27, 0xa1, 0xc8, 0xe7, 0xf7,
        0x8c, 0x59, 0x6a, 0x49, 0x34, 0x4f, 0x01, 0x2e, 0xda, 0x2d, 0x4e,
        0xfa, 0xd8, 0xa0, 0x50, 0xcc, 0x4c, 0x19, 0xaf, 0xa9, 0x7c};
    unsigned char key[80], salt[80], out[OAS_KEY_LEN];
    char info[81] = "";
    oas_secret_t *secret;
    int i;

    for (i = 0; i < 80; i++) {
        key[i] = (unsigned char)i;
        salt[i] = (unsigned char)(0x60 + i);
        info[i] = (char)(0xb0 + i);
    }
    ck_assert_int_eq(oas_secret_create(&secret, key, sizeof(key), pool), APR_SUCCESS);
    ck_assert_int_eq(oas_secret_derive(secret, salt, sizeof(salt), info, out), APR_SUCCESS);
    ck_assert_mem_eq(out, expected, sizeof(expected));
}
END_TEST

START_TEST(secret_too_short)
{
    oas_secret_t *secret;

    ck_assert_int_eq(oas_secret_create(&secret, "short", 5, pool), APR_EINVAL);
}
END_TEST

START_TEST(handle_round_trip)
{
    unsigned char id[OAS_ID_LEN] = {1, 2, 3};
    unsigned char secret[OAS_SECRET_LEN] = {9, 8, 7};
    unsigned char expected[OAS_SHA256_LEN], hash[OAS_SHA256_LEN], out[OAS_ID_LEN];
    char *handle = oas_handle_make(id, secret, pool);

    oas_sha256(secret, sizeof(secret), expected);
    ck_assert_uint_eq(strlen(handle), OAS_HANDLE_LEN);
    ck_assert_int_eq(oas_handle_split(handle, out, hash, pool), APR_SUCCESS);
    ck_assert_mem_eq(out, id, sizeof(id));
    ck_assert_mem_eq(hash, expected, sizeof(expected));
    handle[3] = '*';
    ck_assert_int_eq(oas_handle_split(handle, out, hash, pool), APR_EINVAL);
    ck_assert_int_eq(oas_handle_split("short", out, hash, pool), APR_EINVAL);
}
END_TEST

START_TEST(handle_halves)
{
    unsigned char id[OAS_ID_LEN] = {1, 2, 3};
    unsigned char secret[OAS_SECRET_LEN] = {9, 8, 7};
    unsigned char id_out[OAS_ID_LEN], secret_out[OAS_SECRET_LEN];

    ck_assert_int_eq(oas_handle_open(oas_handle_make(id, secret, pool), id_out, secret_out, pool),
                     APR_SUCCESS);
    ck_assert_mem_eq(id_out, id, sizeof(id));
    ck_assert_mem_eq(secret_out, secret, sizeof(secret));
    ck_assert_int_eq(oas_handle_open("", id_out, secret_out, pool), APR_EINVAL);
}
END_TEST

/* Fills `out` with bytes that count up from `first`. */
static void count_up(unsigned char *out, apr_size_t len, unsigned first)
{
    apr_size_t i;

    for (i = 0; i < len; i++) {
        out[i] = (unsigned char)(first + i);
    }
}

/* The expected value was computed with Python's hmac and hashlib from RFC 5869 and RFC 2104. */
START_TEST(child_is_derived)
{
    static const unsigned char expected[OAS_SECRET_LEN] = {
        0x82, 0xa9, 0xa3, 0x74, 0x0a, 0xc2, 0x31, 0x59, 0xf9, 0xdd, 0x50,
        0x32, 0xf9, 0x65, 0x5d, 0xc8, 0x21, 0x54, 0x6a, 0xc2, 0x11, 0xf5,
        0xa7, 0x51, 0x52, 0x46, 0x56, 0xef, 0x71, 0x05, 0x0b, 0xb2};
    unsigned char bytes[32], id[OAS_ID_LEN], parent[OAS_SECRET_LEN], child[OAS_SECRET_LEN];
    oas_secret_t *secret;

    count_up(bytes, sizeof(bytes), 0);
    count_up(id, sizeof(id), 0x40);
    count_up(parent, sizeof(parent), 0x80);
    ck_assert_int_eq(oas_secret_create(&secret, bytes, sizeof(bytes), pool), APR_SUCCESS);
    ck_assert_int_eq(oas_refresh_secret(secret, id, parent, child), APR_SUCCESS);
    ck_assert_mem_eq(child, expected, sizeof(expected));

    id[0] ^= 1; /* another grant */
    ck_assert_int_eq(oas_refresh_secret(secret, id, parent, child), APR_SUCCESS);
    ck_assert_mem_ne(child, expected, sizeof(expected));
    id[0] ^= 1;
    parent[31] ^= 1; /* another parent */
    ck_assert_int_eq(oas_refresh_secret(secret, id, parent, child), APR_SUCCESS);
    ck_assert_mem_ne(child, expected, sizeof(expected));
    parent[31] ^= 1;
    bytes[0] ^= 1; /* another server secret */
    ck_assert_int_eq(oas_secret_create(&secret, bytes, sizeof(bytes), pool), APR_SUCCESS);
    ck_assert_int_eq(oas_refresh_secret(secret, id, parent, child), APR_SUCCESS);
    ck_assert_mem_ne(child, expected, sizeof(expected));
}
END_TEST

/* ---- log, errors ---- */

static char logged[4096];

static void keep_line(void *baton, oas_log_level_t level, apr_status_t status, const char *text)
{
    apr_cpystrn(logged, text, sizeof(logged));
}

START_TEST(log_lines_cannot_be_forged)
{
    oas_log_t log = {OAS_LOG_INFO, keep_line, NULL};

    logged[0] = '\0';
    oas_log(&log, OAS_LOG_DEBUG, "T1", APR_SUCCESS, "unwanted");
    ck_assert_str_eq(logged, "");
    oas_log(&log, OAS_LOG_INFO, "T2", APR_SUCCESS, "a\r\nb%s", "\x1b[2J");
    ck_assert_str_eq(logged, "T2: a??b?[2J");
}
END_TEST

START_TEST(error_rows_are_complete)
{
    const oas_error_row_t *row = oas_error_row((oas_error_id_t)_i);
    const char *p;

    ck_assert_ptr_nonnull(row->code);
    ck_assert_int_ge(row->status, 400);
    ck_assert_ptr_nonnull(row->text);
    for (p = row->text; *p != '\0'; p++) { /* RFC 6749 section 5.2 */
        ck_assert(*p >= 0x20 && *p < 0x7f && *p != '"' && *p != '\\');
    }
}
END_TEST

#define LOOP(tcase, test, table)                                                                   \
    tcase_add_loop_test(tcase, test, 0, sizeof(table) / sizeof((table)[0]))

/* ---- model ---- */

static const struct {
    unsigned methods;
    int bound;
    apr_interval_time_t own, issuers, counts;
} windows[] = {
    {OAS_AUTH_NONE, 0, OAS_WINDOW_UNSET, apr_time_from_sec(10), apr_time_from_sec(10)},
    {OAS_AUTH_NONE, 0, 0, apr_time_from_sec(10), 0},
    {OAS_AUTH_NONE, 0, apr_time_from_sec(60), 0, apr_time_from_sec(60)},
    /* a public client whose tokens are bound to nothing never has more than a minute */
    {OAS_AUTH_NONE, 0, OAS_WINDOW_UNSET, apr_time_from_sec(300), apr_time_from_sec(60)},
    {OAS_AUTH_NONE, 0, OAS_WINDOW_UNSET, OAS_WINDOW_UNTIL_USED, apr_time_from_sec(60)},
    {OAS_AUTH_NONE, 0, OAS_WINDOW_UNTIL_USED, 0, apr_time_from_sec(60)},
    {OAS_AUTH_NONE, 1, apr_time_from_sec(300), 0, apr_time_from_sec(300)},
    {OAS_AUTH_NONE, 1, OAS_WINDOW_UNTIL_USED, 0, OAS_WINDOW_UNTIL_USED},
    {OAS_AUTH_SECRET_BASIC, 0, OAS_WINDOW_UNSET, OAS_WINDOW_UNTIL_USED, OAS_WINDOW_UNTIL_USED},
    {OAS_AUTH_SECRET_BASIC, 0, apr_time_from_sec(3600), 0, apr_time_from_sec(3600)},
};

START_TEST(reuse_window_that_counts)
{
    oas_issuer_t issuer = {.reuse_window = windows[_i].issuers};
    oas_client_t client = {.auth_methods = windows[_i].methods,
                           .bound_tokens = windows[_i].bound,
                           .reuse_window = windows[_i].own};

    ck_assert(oas_reuse_window(&issuer, &client) == windows[_i].counts);
}
END_TEST

static const struct {
    const char *url;
    int fetchable;
} fetched[] = {
    {"https://keys.example/jwks?a=b", 1},
    {"http://127.0.0.1:8080/jwks", 1},
    {"http://localhost/jwks", 1},
    {"http://keys.example/jwks", 0},
    {"https://user@keys.example/", 0},
    {"https://keys.example/#a", 0},
    {"ftp://127.0.0.1/", 0},
    {"file:///etc/passwd", 0},
    {"https:", 0},
    {"/jwks", 0},
    {"", 0},
};

START_TEST(urls_to_fetch_from)
{
    ck_assert_int_eq(oas_uri_fetchable(fetched[_i].url, pool), fetched[_i].fetchable);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base");
    TCase *bytes = unit_case(suite, "bytes");
    TCase *params = unit_case(suite, "params");
    TCase *uri = unit_case(suite, "uri");
    TCase *others = unit_case(suite, "others");

    LOOP(bytes, base64url_vectors, base64url);
    LOOP(bytes, base64url_refused, bad_base64url);
    tcase_add_test(bytes, base64_padding);
    tcase_add_test(bytes, hex);
    tcase_add_test(bytes, equality);
    tcase_add_test(bytes, wiped_with_pool);
    LOOP(bytes, utf8_validity, utf8);
    tcase_add_test(bytes, utf8_nul);
    tcase_add_test(params, form_rfc6749_appendix_b);
    tcase_add_test(params, form_shapes);
    LOOP(params, form_refused, bad_forms);
    tcase_add_test(params, form_bounds);
    tcase_add_test(params, words);
    tcase_add_test(params, words_refused);
    LOOP(uri, uri_cases, uris);
    tcase_add_test(uri, uri_parts);
    LOOP(uri, redirect_uri_cases, redirects);
    tcase_add_test(uri, uri_append);
    LOOP(uri, urls_to_fetch_from, fetched);
    LOOP(others, reuse_window_that_counts, windows);
    tcase_add_test(others, hkdf_rfc5869_case_2);
    tcase_add_test(others, secret_too_short);
    tcase_add_test(others, handle_round_trip);
    tcase_add_test(others, handle_halves);
    tcase_add_test(others, child_is_derived);
    tcase_add_test(others, log_lines_cannot_be_forged);
    tcase_add_loop_test(others, error_rows_are_complete, OAS_E_METHOD, OAS_E_COUNT);
    return unit_run(suite);
}
