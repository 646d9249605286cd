/* SPDX-License-Identifier: Apache-2.0 */
/* Browsers that have signed in before: their cookie, and what it changes in the throttle. */
#include "unit.h"

#include "../../lib/login/known.h"
#include "../../lib/login/throttle.h"
#include "fake_tx.h"

static unsigned char alice[OAS_SHA256_LEN];

/* What a browser with this cookie header (NULL: none) counts for a user. */
static oas_throttle_attempt_t attempt(const char *cookie, const char *user, const char *address,
                                      unsigned char account[OAS_SHA256_LEN])
{
    oas_tx_t *tx = fake_tx(pool);
    oas_throttle_attempt_t out = {0};

    tx->request.cookie = cookie;
    tx->request.address = address;
    oas_throttle_describe(tx, user, account, &out);
    return out;
}

/* The value of the cookie that a sign-in sets, for a browser with this cookie header. */
static const char *sign_in(const char *cookie, const char *user)
{
    oas_tx_t *tx = fake_tx(pool);
    unsigned char account[OAS_SHA256_LEN];
    oas_throttle_attempt_t out;

    tx->request.cookie = cookie;
    oas_throttle_describe(tx, user, account, &out);
    oas_known_remember(tx, account);
    ck_assert_ptr_nonnull(tx->set_cookie[OAS_COOKIE_KNOWN]);
    return tx->set_cookie[OAS_COOKIE_KNOWN];
}

/* "NAME=VALUE" of a Set-Cookie, as the browser sends it. */
static const char *sent(const char *set_cookie)
{
    return apr_pstrmemdup(pool, set_cookie, strcspn(set_cookie, ";"));
}

static int same(const oas_throttle_attempt_t *a, const oas_throttle_attempt_t *b, int key)
{
    return memcmp(a->key[key], b->key[key], OAS_SHA256_LEN) == 0;
}

START_TEST(the_cookie)
{
    const char *set = sign_in(NULL, "alice");

    ck_assert(strncmp(set, "__Host-oas-0123456789abcdef-known=", 34) == 0);
    ck_assert_ptr_nonnull(
        strstr(set, "; Path=/; Max-Age=15552000; HttpOnly; SameSite=Lax; Secure"));
    ck_assert_uint_eq(strlen(sent(set)), 34 + 22 + 1 + 22);
    ck_assert_str_ne(sent(set), sent(sign_in(NULL, "alice"))); /* each browser has its own name */
}
END_TEST

START_TEST(a_known_browser_is_counted_apart)
{
    const char *cookie = sent(sign_in(NULL, "alice"));
    oas_throttle_attempt_t stranger = attempt(NULL, "alice", "192.0.2.1", alice);
    oas_throttle_attempt_t known = attempt(cookie, "Alice", "192.0.2.1", alice);
    oas_throttle_attempt_t moved = attempt(cookie, "alice", "198.51.100.1", alice);
    oas_throttle_attempt_t other =
        attempt(sent(sign_in(NULL, "alice")), "alice", "192.0.2.1", alice);
    oas_throttle_attempt_t spelt =
        attempt(sent(sign_in(NULL, "alic\xc3\xa9")), "alic\xc3\xa9", "192.0.2.1", alice);

    ck_assert(!same(&stranger, &known, OAS_THROTTLE_PAIR));
    ck_assert(!same(&stranger, &known, OAS_THROTTLE_ACCOUNT));
    ck_assert_mem_eq(known.key, moved.key, sizeof(known.key)); /* wherever it is */
    ck_assert(!same(&stranger, &known, OAS_THROTTLE_ADDRESS));
    ck_assert_mem_eq(known.key[OAS_THROTTLE_ADDRESS], known.key[OAS_THROTTLE_PAIR], OAS_SHA256_LEN);
    ck_assert_int_eq(known.limit[OAS_THROTTLE_ADDRESS], 10);
    ck_assert(!same(&known, &other, OAS_THROTTLE_PAIR));
    /* whoever has many such browsers, under several spellings, guesses no more often for it */
    ck_assert(same(&known, &other, OAS_THROTTLE_ACCOUNT));
    ck_assert(!same(&known, &spelt, OAS_THROTTLE_PAIR));
    ck_assert(same(&known, &spelt, OAS_THROTTLE_ACCOUNT));
    ck_assert_int_eq(known.limit[OAS_THROTTLE_ACCOUNT], 50);
}
END_TEST

/* Spellings share the counters of strangers; a browser is known for what was typed in it. */
START_TEST(only_for_its_names)
{
    const char *cookie = sent(sign_in(NULL, "alice"));
    unsigned char name[OAS_SHA256_LEN];
    oas_throttle_attempt_t stranger = attempt(NULL, "alice", "192.0.2.1", name);
    oas_throttle_attempt_t accent = attempt(cookie, "alic\xc3\xa9", "192.0.2.1", name);
    oas_tx_t *tx = fake_tx(pool);
    oas_throttle_attempt_t capital;

    ck_assert_mem_eq(stranger.key, accent.key, sizeof(stranger.key));
    tx->request.cookie = cookie;
    tx->request.address = "192.0.2.1";
    ((oas_issuer_t *)tx->issuer)->names_ignore_case = 0;
    oas_throttle_describe(tx, "Alice", name, &capital);
    ck_assert_mem_eq(stranger.key, capital.key, sizeof(stranger.key));
    oas_throttle_describe(tx, "alice", name, &capital);
    ck_assert(!same(&stranger, &capital, OAS_THROTTLE_PAIR));
}
END_TEST

START_TEST(only_for_its_accounts)
{
    const char *cookie = sent(sign_in(NULL, "alice"));
    unsigned char bob[OAS_SHA256_LEN];
    oas_throttle_attempt_t stranger = attempt(NULL, "bob", "192.0.2.1", bob);
    oas_throttle_attempt_t known = attempt(cookie, "bob", "192.0.2.1", bob);

    ck_assert_mem_eq(stranger.key, known.key, sizeof(known.key));
}
END_TEST

START_TEST(the_last_five_accounts)
{
    static const char *const users[] = {"one", "two", "three", "four", "five", "six", "two"};
    static const struct {
        const char *user;
        int known;
    } after[] = {{"one", 0}, {"two", 1}, {"three", 1}, {"four", 1}, {"five", 1}, {"six", 1}};
    const char *cookie = NULL;
    unsigned char account[OAS_SHA256_LEN];
    oas_tx_t *tx = fake_tx(pool);
    apr_size_t i;

    for (i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
        cookie = sent(sign_in(cookie, users[i]));
    }
    ck_assert_uint_eq(strlen(cookie), 34 + 22 + 5 * 23);
    tx->request.cookie = cookie;
    for (i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
        attempt(NULL, after[i].user, "192.0.2.1", account);
        ck_assert_int_eq(oas_known_device(tx, account) != NULL, after[i].known);
    }
}
END_TEST

START_TEST(secrets_change)
{
    const char *cookie = sent(sign_in(NULL, "alice"));
    const char *again;
    oas_tx_t *tx = fake_tx(pool);
    apr_array_header_t *secrets = tx->issuer->secrets;
    oas_secret_t *old = APR_ARRAY_IDX(secrets, 0, oas_secret_t *);

    attempt(NULL, "alice", "192.0.2.1", alice);
    tx->request.cookie = cookie;
    APR_ARRAY_IDX(secrets, 0, oas_secret_t *) = fake_secret(pool, 'b');
    ck_assert_ptr_null(oas_known_device(tx, alice));
    APR_ARRAY_PUSH(secrets, oas_secret_t *) = old;
    ck_assert_ptr_nonnull(oas_known_device(tx, alice));
    oas_known_remember(tx, alice); /* by the new secret, in place of the old proof */
    again = sent(tx->set_cookie[OAS_COOKIE_KNOWN]);
    ck_assert_uint_eq(strlen(again), strlen(cookie));
    secrets->nelts = 1;
    tx->request.cookie = again;
    ck_assert_ptr_nonnull(oas_known_device(tx, alice));
}
END_TEST

START_TEST(the_key_is_the_secrets)
{
    oas_secret_t *secret = fake_secret(pool, 'a');
    unsigned char key[OAS_KEY_LEN];

    ck_assert_int_eq(oas_secret_derive(secret, NULL, 0, "known browser", key), APR_SUCCESS);
    ck_assert_mem_eq(secret->known_key, key, OAS_KEY_LEN);
    ck_assert_mem_ne(secret->known_key, secret->refresh_key, OAS_KEY_LEN);
}
END_TEST

#define NAME    "__Host-oas-0123456789abcdef-known="
#define FOREIGN "CCCCCCCCCCCCCCCCCCCCCg"

/* Nothing of these makes a browser known, and a sign-in with each of them sets a good one. */
static const char *const odd[] = {
    NAME,
    NAME BINDING,
    NAME BINDING ".",
    NAME "." BINDING,
    NAME BINDING "." FOREIGN,
    NAME BINDING ".!CCCCCCCCCCCCCCCCCCCCg",
    (NAME BINDING "." FOREIGN "." FOREIGN "." FOREIGN "." FOREIGN "." FOREIGN "." FOREIGN),
    NAME HANDLE,
    (NAME BINDING "." FOREIGN "." FOREIGN "." FOREIGN "." FOREIGN "." FOREIGN "." FOREIGN),
};

START_TEST(odd_cookies)
{
    const char *cookie;
    oas_tx_t *tx = fake_tx(pool);

    attempt(NULL, "alice", "192.0.2.1", alice);
    tx->request.cookie = odd[_i];
    ck_assert_ptr_null(oas_known_device(tx, alice));
    cookie = sent(sign_in(odd[_i], "alice"));
    tx->request.cookie = cookie;
    ck_assert_ptr_nonnull(oas_known_device(tx, alice));
}
END_TEST

START_TEST(no_cookie_counts_at_the_token_endpoint)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_throttle_attempt_t out;

    tx->endpoint = OAS_EP_TOKEN;
    tx->request.cookie = sent(sign_in(NULL, "alice"));
    oas_throttle_describe(tx, "alice", alice, &out);
    ck_assert_mem_ne(out.key[OAS_THROTTLE_ADDRESS], out.key[OAS_THROTTLE_PAIR], OAS_SHA256_LEN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("known");
    TCase *tcase = unit_case(suite, "known");

    tcase_add_test(tcase, the_cookie);
    tcase_add_test(tcase, a_known_browser_is_counted_apart);
    tcase_add_test(tcase, only_for_its_accounts);
    tcase_add_test(tcase, only_for_its_names);
    tcase_add_test(tcase, the_last_five_accounts);
    tcase_add_test(tcase, secrets_change);
    tcase_add_test(tcase, the_key_is_the_secrets);
    tcase_add_loop_test(tcase, odd_cookies, 0, sizeof(odd) / sizeof(odd[0]));
    tcase_add_test(tcase, no_cookie_counts_at_the_token_endpoint);
    return unit_run(suite);
}
