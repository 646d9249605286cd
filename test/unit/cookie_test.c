/* SPDX-License-Identifier: Apache-2.0 */
/* The two cookies: what is read of them, when they are set, and that the one for frames stays
 * apart. */
#include "unit.h"

#include "../../lib/login/cookie.h"
#include "fake_tx.h"

static const struct {
    const char *header;
    int browser, session;
} cookies[] = {
    {NULL, 0, 0},
    {"__Host-oas-0123456789abcdef=" BINDING, 1, 0},
    {"a=b; __Host-oas-0123456789abcdef=" BINDING "." HANDLE "; c=d", 1, 1},
    {"x__Host-oas-0123456789abcdef=" BINDING, 0, 0},
    {"__Host-oas-0123456789abcdeX=" BINDING, 0, 0},
    {"__Host-oas-0123456789abcdef=" BINDING "A", 0, 0},
    {"__Host-oas-0123456789abcdef=" BINDING "_" HANDLE, 1, 0},
    {"__Host-oas-0123456789abcdef=!AAAAAAAAAAAAAAAAAAAAA", 0, 0},
    {"__Host-oas-0123456789abcdef=", 0, 0},
    {";;;==; ", 0, 0},
};

START_TEST(cookie_cases)
{
    oas_tx_t *tx = fake_tx(pool);

    tx->request.cookie = cookies[_i].header;
    oas_cookie_read(tx);
    ck_assert_int_eq(tx->browser != NULL, cookies[_i].browser);
    ck_assert_int_eq(tx->session_handle != NULL, cookies[_i].session);
    ck_assert_ptr_null(tx->set_cookie[OAS_COOKIE_BROWSER]);
    ck_assert_ptr_null(tx->set_cookie[OAS_COOKIE_FRAMED]);
}
END_TEST

START_TEST(cookie_keeps_binding_over_login)
{
    unsigned char id[OAS_ID_LEN] = {1}, secret[OAS_SECRET_LEN] = {2}, out[OAS_ID_LEN];
    unsigned char hash[OAS_SHA256_LEN];
    oas_tx_t *tx = fake_tx(pool);
    const char *set;

    ck_assert_int_eq(oas_cookie_bind(tx), APR_SUCCESS);
    ck_assert_str_eq(oas_cookie_sid(tx), "");
    oas_cookie_set_session(tx, id, secret, 0);
    set = tx->set_cookie[OAS_COOKIE_BROWSER];
    ck_assert_ptr_nonnull(strstr(set, tx->browser));
    ck_assert_ptr_nonnull(strstr(set, tx->session_handle));
    ck_assert_ptr_nonnull(strstr(set, "; HttpOnly; SameSite=Lax; Secure"));
    ck_assert_ptr_null(strstr(set, "Max-Age"));
    ck_assert_ptr_null(tx->set_cookie[OAS_COOKIE_FRAMED]);
    ck_assert_int_eq(oas_cookie_session(tx, out, hash), APR_SUCCESS);
    ck_assert_mem_eq(out, id, sizeof(id));
    ck_assert_str_eq(oas_cookie_sid(tx), oas_base64url_encode(pool, id, sizeof(id)));
}
END_TEST

#define FRAMED "__Host-oas-0123456789abcdef-wm"

START_TEST(framed_cookie_comes_with_the_session)
{
    unsigned char id[OAS_ID_LEN] = {1}, secret[OAS_SECRET_LEN] = {2};
    oas_tx_t *tx = fake_tx(pool);

    ((oas_issuer_t *)tx->issuer)->web_message = 1;
    ck_assert_int_eq(oas_cookie_bind(tx), APR_SUCCESS);
    ck_assert_ptr_null(tx->set_cookie[OAS_COOKIE_FRAMED]);
    oas_cookie_set_session(tx, id, secret, 0);
    ck_assert_str_eq(tx->set_cookie[OAS_COOKIE_FRAMED],
                     apr_pstrcat(pool, FRAMED "=", tx->browser, ".", tx->session_handle,
                                 "; Path=/; HttpOnly; SameSite=None; Secure", NULL));
    ck_assert_ptr_nonnull(strstr(tx->set_cookie[OAS_COOKIE_BROWSER], "; SameSite=Lax; Secure"));
}
END_TEST

/* Both cookies of a session that its user keeps end with it. */
START_TEST(kept_cookies_have_an_end)
{
    unsigned char id[OAS_ID_LEN] = {1}, secret[OAS_SECRET_LEN] = {2};
    oas_tx_t *tx = fake_tx(pool);
    int i;

    ((oas_issuer_t *)tx->issuer)->web_message = 1;
    ck_assert_int_eq(oas_cookie_bind(tx), APR_SUCCESS);
    ck_assert_ptr_null(strstr(tx->set_cookie[OAS_COOKIE_BROWSER], "Max-Age"));
    oas_cookie_set_session(tx, id, secret, apr_time_from_sec(604800));
    for (i = OAS_COOKIE_BROWSER; i <= OAS_COOKIE_FRAMED; i++) {
        ck_assert_ptr_nonnull(strstr(tx->set_cookie[i], "; Max-Age=604800; Path=/; HttpOnly;"));
    }
}
END_TEST

START_TEST(framed_cookie_is_read_when_asked)
{
    oas_tx_t *tx = fake_tx(pool);

    tx->request.cookie = FRAMED "=" BINDING "." HANDLE;
    oas_cookie_read(tx);
    oas_cookie_read_framed(tx); /* no client uses web_message */
    ck_assert_ptr_null(tx->session_handle);
    ((oas_issuer_t *)tx->issuer)->web_message = 1;
    oas_cookie_read(tx);
    ck_assert_ptr_null(tx->session_handle);
    oas_cookie_read_framed(tx);
    ck_assert_str_eq(tx->session_handle, HANDLE);
}
END_TEST

/* A browser that signed in before web_message came into use gets the second cookie, once. */
START_TEST(framed_cookie_is_made_up_for)
{
    static const char first[] = "__Host-oas-0123456789abcdef=" BINDING "." HANDLE;
    oas_tx_t *tx = fake_tx(pool);

    tx->session = apr_pcalloc(pool, sizeof(*tx->session));
    tx->session->now = 1000;
    tx->session->expires = 1600;
    tx->request.cookie = first;
    oas_cookie_read(tx);
    oas_cookie_keep_framed(tx);
    ck_assert_ptr_null(tx->set_cookie[OAS_COOKIE_FRAMED]);
    ((oas_issuer_t *)tx->issuer)->web_message = 1;
    oas_cookie_keep_framed(tx);
    ck_assert_ptr_nonnull(tx->set_cookie[OAS_COOKIE_FRAMED]);
    ck_assert_ptr_null(tx->set_cookie[OAS_COOKIE_BROWSER]);
    ck_assert_ptr_null(strstr(tx->set_cookie[OAS_COOKIE_FRAMED], "Max-Age"));
    tx->session->persistent = 1;
    oas_cookie_keep_framed(tx);
    ck_assert_ptr_nonnull(strstr(tx->set_cookie[OAS_COOKIE_FRAMED], "; Max-Age=600; "));
    tx->set_cookie[OAS_COOKIE_FRAMED] = NULL;
    tx->request.cookie = apr_pstrcat(pool, first, "; " FRAMED "=" BINDING "." HANDLE, NULL);
    oas_cookie_keep_framed(tx);
    ck_assert_ptr_null(tx->set_cookie[OAS_COOKIE_FRAMED]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cookie");
    TCase *tcase = unit_case(suite, "cookie");

    tcase_add_loop_test(tcase, cookie_cases, 0, sizeof(cookies) / sizeof(cookies[0]));
    tcase_add_test(tcase, cookie_keeps_binding_over_login);
    tcase_add_test(tcase, framed_cookie_comes_with_the_session);
    tcase_add_test(tcase, kept_cookies_have_an_end);
    tcase_add_test(tcase, framed_cookie_is_read_when_asked);
    tcase_add_test(tcase, framed_cookie_is_made_up_for);
    return unit_run(suite);
}
