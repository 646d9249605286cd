/* SPDX-License-Identifier: Apache-2.0 */
/* How an answer to an authorization request leaves: by each mode, as success and as error. */
#include "unit.h"

#include "../../lib/base/json.h"
#include "../../lib/reply/reply.h"
#include "../../lib/reply/templates.h"
#include "fake_tx.h"

#define ORIGIN "https://app.example"

static oas_tx_t *tx_with(oas_response_mode_t mode)
{
    oas_tx_t *tx = fake_tx(pool);
    const char *source = getenv("srcdir"), *why = NULL;
    oas_issuer_t *issuer = (oas_issuer_t *)tx->issuer;

    ck_assert_msg(oas_templates_load(&issuer->templates, NULL,
                                     apr_pstrcat(pool, source ? source : ".", "/templates", NULL),
                                     NULL, &why, pool) == APR_SUCCESS,
                  "%s", why);
    tx->response_mode = mode;
    tx->message_origin = ORIGIN;
    tx->state = "s&\"'<>";
    return tx;
}

static oas_members_t *answer(void)
{
    oas_members_t *out = oas_members_create(pool);

    oas_members_string(out, "code", "abc");
    oas_members_integer(out, "expires_in", 300);
    return out;
}

static const char *header(const oas_tx_t *tx, const char *name)
{
    const char *value = apr_table_get(tx->reply.headers, name);

    return value != NULL ? value : "";
}

#define ENCODED "code=abc&expires_in=300&state=s%26%22%27%3C%3E&iss=https%3A%2F%2Fas.example%2F"

START_TEST(redirects)
{
    oas_tx_t *tx = tx_with(OAS_MODE_QUERY);

    oas_reply_authorization(tx, answer());
    ck_assert_int_eq(tx->reply.status, 302);
    ck_assert_str_eq(header(tx, "Location"), "https://app.example/cb?" ENCODED);
    tx = tx_with(OAS_MODE_FRAGMENT);
    tx->request.method = "POST";
    oas_reply_authorization(tx, answer());
    ck_assert_int_eq(tx->reply.status, 303);
    ck_assert_str_eq(header(tx, "Location"), "https://app.example/cb#" ENCODED);
}
END_TEST

START_TEST(form)
{
    oas_tx_t *tx = tx_with(OAS_MODE_FORM_POST);

    oas_reply_authorization(tx, answer());
    ck_assert_int_eq(tx->reply.status, 200);
    ck_assert_ptr_nonnull(strstr(tx->reply.body, "action=\"https://app.example/cb\""));
    ck_assert_ptr_nonnull(strstr(tx->reply.body, "name=\"expires_in\" value=\"300\""));
    ck_assert_ptr_nonnull(
        strstr(tx->reply.body, "name=\"state\" value=\"s&amp;&quot;&#39;&lt;&gt;\""));
    ck_assert_str_eq(header(tx, "X-Frame-Options"), "DENY");
    ck_assert_ptr_nonnull(strstr(header(tx, "Content-Security-Policy"), "frame-ancestors 'none';"));
}
END_TEST

START_TEST(message)
{
    oas_tx_t *tx = tx_with(OAS_MODE_WEB_MESSAGE);
    const char *policy, *own, *other;

    oas_reply_authorization(tx, answer());
    ck_assert_int_eq(tx->reply.status, 200);
    ck_assert_ptr_nonnull(strstr(tx->reply.body, "data-origin=\"" ORIGIN "\""));
    ck_assert_ptr_nonnull(strstr(
        tx->reply.body, "data-response=\"{&quot;code&quot;:&quot;abc&quot;,&quot;expires_in&quot;:"
                        "300,&quot;state&quot;:&quot;s&amp;\\&quot;&#39;&lt;&gt;&quot;,"
                        "&quot;iss&quot;:&quot;https://as.example/&quot;}\""));
    policy = header(tx, "Content-Security-Policy");
    own = oas_templates_script_hash(tx->issuer->templates, "web_message");
    other = oas_templates_script_hash(tx->issuer->templates, "form_post");
    ck_assert_ptr_nonnull(strstr(policy, "frame-ancestors " ORIGIN ";"));
    ck_assert_ptr_nonnull(strstr(policy, apr_pstrcat(pool, "script-src ", own, ";", NULL)));
    ck_assert_str_ne(own, other);
    ck_assert_ptr_null(strstr(policy, other));
    ck_assert_ptr_null(apr_table_get(tx->reply.headers, "X-Frame-Options"));
    ck_assert_str_eq(header(tx, "Cache-Control"), "no-store");
}
END_TEST

START_TEST(errors_travel_the_same_way)
{
    oas_tx_t *tx = tx_with(OAS_MODE_WEB_MESSAGE);

    oas_refuse(tx, OAS_TAG(00999), OAS_E_LOGIN_REQUIRED, NULL);
    oas_reply_error(tx);
    ck_assert_ptr_nonnull(strstr(tx->reply.body, "{&quot;error&quot;:&quot;login_required&quot;,"));
    tx = tx_with(OAS_MODE_FRAGMENT);
    oas_refuse(tx, OAS_TAG(00999), OAS_E_NONCE_MISSING, NULL);
    oas_reply_error(tx);
    ck_assert_ptr_nonnull(strstr(header(tx, "Location"), "/cb#error=invalid_request&"));
}
END_TEST

/* What may not travel is a page that nobody may frame. */
START_TEST(wrong_origin_is_a_page)
{
    oas_tx_t *tx = tx_with(OAS_MODE_WEB_MESSAGE);

    tx->message_origin = NULL;
    oas_refuse(tx, OAS_TAG(00999), OAS_E_WEB_MESSAGE_ORIGIN, NULL);
    oas_reply_error(tx);
    ck_assert_int_eq(tx->reply.status, 400);
    ck_assert_str_eq(header(tx, "X-Frame-Options"), "DENY");
    ck_assert_ptr_null(strstr(tx->reply.body, "data-response"));
}
END_TEST

/* The page of a front-channel logout: frames of those origins only, on to the next page without
 * a script, in the language of the request. */
START_TEST(frames_and_language)
{
    oas_tx_t *tx = tx_with(OAS_MODE_QUERY);
    apr_array_header_t *frames = apr_array_make(pool, 2, sizeof(const char *));
    oas_page_policy_t policy = {
        .frames = frames, .next = "https://app.example/out?state=1", .script = 1};

    APR_ARRAY_PUSH(frames, const char *) = "https://a.example/logout?sid=1";
    APR_ARRAY_PUSH(frames, const char *) = "https://a.example/other";
    APR_ARRAY_PUSH(frames, const char *) = "https://b.example:8443/logout";
    tx->request.accept_language = "ja;q=0.5, de-AT";
    oas_reply_page(tx, 200, "logout_frontchannel", oas_json_object(pool), &policy);
    ck_assert_ptr_nonnull(strstr(header(tx, "Content-Security-Policy"),
                                 "; frame-src https://a.example https://b.example:8443; "));
    ck_assert_str_eq(header(tx, "Refresh"), "1; url=https://app.example/out?state=1");
    ck_assert_str_eq(header(tx, "Content-Language"), "de");
    ck_assert_ptr_nonnull(strstr(tx->reply.body, "<html lang=\"de\" dir=\"ltr\">"));
    tx = tx_with(OAS_MODE_FORM_POST);
    tx->request.accept_language = "de";
    tx->params = oas_params_create(pool);
    oas_params_add(tx->params, "ui_locales", "tlh ar");
    oas_reply_authorization(tx, answer());
    ck_assert_str_eq(header(tx, "Content-Language"), "ar");
    ck_assert_ptr_nonnull(strstr(header(tx, "Content-Security-Policy"), "; frame-src 'none'; "));
    ck_assert_ptr_null(apr_table_get(tx->reply.headers, "Refresh"));
    ck_assert_str_eq(oas_page_text(tx, "dir"), "rtl");
    ck_assert_ptr_null(oas_page_text(tx, "no such text"));
}
END_TEST

/* Words of OpenID Connect are ours, those of an API the administrator's. */
START_TEST(permissions_in_words)
{
    oas_tx_t *tx = tx_with(OAS_MODE_QUERY);
    const oas_resource_t *api = oas_resource_find(tx->issuer, "https://api.example/");

    tx->request.accept_language = "fr";
    ck_assert_str_eq(oas_page_permission(tx, NULL, "email"), "Voir votre adresse e-mail");
    ck_assert_str_eq(oas_page_permission(tx, api, "read:items"), "Read your items");
    ck_assert_str_eq(oas_page_permission(tx, api, "unknown"), "unknown");
    ck_assert_str_eq(oas_page_permission(tx, NULL, "read:items"), "read:items");
}
END_TEST

static int count_cookie(void *baton, const char *name, const char *value)
{
    (*(int *)baton)++;
    return 1;
}

START_TEST(two_cookies_two_headers)
{
    oas_tx_t *tx = tx_with(OAS_MODE_QUERY);
    int cookies = 0;

    tx->set_cookie[OAS_COOKIE_BROWSER] = "a=b";
    tx->set_cookie[OAS_COOKIE_FRAMED] = "c=d";
    oas_reply_authorization(tx, answer());
    apr_table_do(count_cookie, &cookies, tx->reply.headers, "Set-Cookie", NULL);
    ck_assert_int_eq(cookies, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reply");
    TCase *tcase = unit_case(suite, "reply");

    tcase_add_test(tcase, redirects);
    tcase_add_test(tcase, form);
    tcase_add_test(tcase, message);
    tcase_add_test(tcase, errors_travel_the_same_way);
    tcase_add_test(tcase, wrong_origin_is_a_page);
    tcase_add_test(tcase, frames_and_language);
    tcase_add_test(tcase, permissions_in_words);
    tcase_add_test(tcase, two_cookies_two_headers);
    return unit_run(suite);
}
