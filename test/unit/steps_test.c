/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of a login, by a table with a one-time code in it; and which options a request is offered.
 */
#include "../../lib/login/options.h"
#include "../../lib/login/steps.h"
#include "../../lib/store/session.h"
#include "fake_tx.h"
#include "unit.h"

/* ---- steps ---- */

static oas_login_step_result_t never(oas_tx_t *tx, oas_login_t *login, const oas_params_t *answer)
{
    return OAS_STEP_NOT_NEEDED;
}

static oas_login_step_result_t one_time_code(oas_tx_t *tx, oas_login_t *login,
                                             const oas_params_t *answer)
{
    const char *code = answer != NULL ? oas_params_get(answer, "code") : NULL;

    if (code == NULL || strcmp(code, "123456") != 0) {
        return OAS_STEP_ASK;
    }
    oas_login_add_method(tx, login, "otp");
    login->acr = "urn:example:two";
    return OAS_STEP_DONE;
}

/* Asks for ever, so that no session is opened here; it may not see what the step before was told.
 */
static oas_login_step_result_t terms(oas_tx_t *tx, oas_login_t *login, const oas_params_t *answer)
{
    ck_assert_ptr_null(answer);
    return OAS_STEP_ASK;
}

static const oas_login_step_t one_code[] = {{"otp", "otp", one_time_code}, {NULL, NULL, NULL}};
static const oas_login_step_t steps[] = {{"never", "never", never},
                                         {"otp", "otp", one_time_code},
                                         {"terms", "terms", terms},
                                         {NULL, NULL, NULL}};

static oas_login_t *password_login(void)
{
    oas_login_t *login = apr_pcalloc(pool, sizeof(*login));

    login->sub = "file|alice";
    login->provider = "file";
    login->name = login->display = "alice";
    login->claims = "{\"name\":\"Alice\"}";
    login->amr = "pwd";
    login->option = OAS_OPTION_PASSWORD;
    login->auth_time = -1;
    login->fresh = 1;
    login->counted = 1;
    login->attempt.forgets = 1;
    memset(login->attempt.key, 7, sizeof(login->attempt.key));
    return login;
}

static const oas_params_t *answer_of(const char *encoded)
{
    oas_params_t *params;

    ck_assert_int_eq(oas_params_parse(&params, encoded, strlen(encoded), pool), APR_SUCCESS);
    return params;
}

START_TEST(step_shows_its_page_until_it_is_done)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_login_t *login = password_login();

    ck_assert_int_eq(oas_login_go_on(tx, steps, login, NULL), OAS_LOGIN_STEP);
    ck_assert_ptr_eq(tx->login, login);
    ck_assert_str_eq(steps[login->step].name, "otp");
    ck_assert_int_eq(oas_login_go_on(tx, steps, login, answer_of("code=000000")), OAS_LOGIN_STEP);
    ck_assert_str_eq(steps[login->step].name, "otp");
    ck_assert_str_eq(login->amr, "pwd");
    ck_assert_ptr_null(tx->session);
}
END_TEST

START_TEST(step_adds_to_amr_and_acr)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_login_t *login = password_login();

    ck_assert_int_eq(oas_login_go_on(tx, steps, login, NULL), OAS_LOGIN_STEP);
    ck_assert_int_eq(oas_login_go_on(tx, steps, login, answer_of("code=123456")), OAS_LOGIN_STEP);
    ck_assert_str_eq(steps[login->step].name, "terms");
    ck_assert_str_eq(login->amr, "pwd otp");
    ck_assert_str_eq(login->acr, "urn:example:two");
    oas_login_add_method(tx, login, "otp");
    ck_assert_str_eq(login->amr, "pwd otp");
    login->amr = "";
    oas_login_add_method(tx, login, "otp");
    ck_assert_str_eq(login->amr, "otp");
}
END_TEST

START_TEST(step_travels_and_comes_back)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_login_t *login = password_login();
    oas_login_t *back;
    json_t *json;

    login->step = 1;
    json = oas_login_to_json(tx, steps, login);
    back = oas_login_from_json(tx, steps, json);
    ck_assert_ptr_nonnull(back);
    ck_assert_str_eq(back->sub, login->sub);
    ck_assert_str_eq(back->provider, login->provider);
    ck_assert_str_eq(back->claims, login->claims);
    ck_assert_str_eq(back->amr, "pwd");
    ck_assert_str_eq(back->option, OAS_OPTION_PASSWORD);
    ck_assert_ptr_null(back->acr);
    ck_assert_ptr_null(back->proof);
    ck_assert_int_eq(back->auth_time, -1);
    ck_assert_int_eq(back->fresh, 1);
    ck_assert_int_eq(back->step, 1);
    ck_assert_int_eq(back->counted, 1);
    ck_assert_int_eq(back->once, 1);
    ck_assert_int_eq(back->attempt.forgets, 1);
    ck_assert_mem_eq(back->attempt.key, login->attempt.key, sizeof(login->attempt.key));
    /* a step that this version does not have */
    ck_assert_ptr_null(oas_login_from_json(tx, oas_login_steps, json));
    ck_assert_ptr_null(oas_login_from_json(tx, steps, NULL));
}
END_TEST

/* The store: what came to be opened, and what it says. */
static oas_session_new_t opened;
static apr_status_t store_says;

apr_status_t __wrap_oas_store_session_open(oas_db_t *db, const oas_session_new_t *in,
                                           oas_session_t *out, apr_pool_t *p);

apr_status_t __wrap_oas_store_session_open(oas_db_t *db, const oas_session_new_t *in,
                                           oas_session_t *out, apr_pool_t *p)
{
    opened = *in;
    out->id = oas_base64url_encode(p, in->session_id, OAS_ID_LEN);
    out->sub = in->sub;
    return store_says;
}

/* Sends the form of the code's step, as often as one likes. */
static oas_login_result_t send_code(oas_tx_t *tx, const json_t *sealed)
{
    return oas_login_go_on(tx, one_code, oas_login_from_json(tx, one_code, sealed),
                           answer_of("code=123456"));
}

START_TEST(sealed_login_opens_one_session)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_login_t *login = password_login();
    unsigned char id[OAS_ID_LEN];
    json_t *first, *second;

    store_says = APR_SUCCESS;
    tx->browser = BINDING;
    ck_assert_int_eq(oas_login_go_on(tx, one_code, login, NULL), OAS_LOGIN_STEP);
    first = oas_login_to_json(tx, one_code, tx->login);
    memcpy(id, login->session_id, sizeof(id));
    login = oas_login_from_json(tx, one_code, first); /* the page again, after a wrong code */
    ck_assert_int_eq(oas_login_go_on(tx, one_code, login, answer_of("code=1")), OAS_LOGIN_STEP);
    second = oas_login_to_json(tx, one_code, tx->login);
    ck_assert_int_eq(send_code(tx, second), OAS_LOGIN_DONE);
    ck_assert_mem_eq(opened.session_id, id, sizeof(id));
    ck_assert_int_eq(opened.once, 1);
    ck_assert_ptr_nonnull(tx->set_cookie[OAS_COOKIE_BROWSER]);

    tx = fake_tx(pool);
    tx->browser = BINDING;
    store_says = APR_EEXIST;
    ck_assert_int_eq(send_code(tx, first), OAS_LOGIN_FAILED);
    ck_assert_mem_eq(opened.session_id, id, sizeof(id));
    ck_assert_int_eq(tx->error, OAS_E_FORM_STALE);
    ck_assert_ptr_null(tx->set_cookie[OAS_COOKIE_BROWSER]);
    ck_assert_ptr_null(tx->set_cookie[OAS_COOKIE_KNOWN]);
    ck_assert_ptr_null(tx->session);
    json_object_del(second, "session");
    ck_assert_ptr_null(oas_login_from_json(tx, one_code, second));
}
END_TEST

START_TEST(login_without_steps_has_a_new_session)
{
    oas_tx_t *tx = fake_tx(pool);
    unsigned char id[OAS_ID_LEN];

    store_says = APR_SUCCESS;
    tx->browser = BINDING;
    ck_assert_int_eq(oas_login_go_on(tx, oas_login_steps, password_login(), NULL), OAS_LOGIN_DONE);
    ck_assert_int_eq(opened.once, 0);
    memcpy(id, opened.session_id, sizeof(id));
    ck_assert_int_eq(oas_login_go_on(tx, oas_login_steps, password_login(), NULL), OAS_LOGIN_DONE);
    ck_assert_mem_ne(opened.session_id, id, sizeof(id));
}
END_TEST

/* ---- options ---- */

static const oas_login_option_t options[] = {
    {.id = "password", .reauth = 1, .acr = "urn:example:one"},
    {.id = "ticket", .url = "https://as.example/ticket"},
    {.id = "partner", .url = "https://as.example/partner", .auth_time = (oas_expr_t *)options},
    {.id = "card", .url = "https://as.example/card", .reauth = 1, .acr = "urn:example:two"},
};

static const struct {
    unsigned prompt;
    int max_age;
    const char *hinted_sub;
    const char *acr_values;
    int essential;
    const char *offered;
} wishes[] = {
    {0, -1, NULL, NULL, 0, "password ticket partner card"},
    {OAS_PROMPT_LOGIN, -1, NULL, NULL, 0, "password card"},
    {OAS_PROMPT_CREATE, -1, NULL, NULL, 0, "password card"},
    {0, -1, "", NULL, 0, "password card"}, /* a hint of nobody asks for a new login */
    {0, -1, "file|alice", NULL, 0, "password ticket partner card"},
    {0, 60, NULL, NULL, 0, "password partner card"},
    {0, 0, NULL, NULL, 0, "password partner card"},
    {0, -1, NULL, "urn:example:two", 0, "card password ticket partner"},
    {0, -1, NULL, "urn:example:two urn:example:one", 0, "card password ticket partner"},
    {0, -1, NULL, "urn:example:two urn:example:one", 1, "card password"},
    {0, -1, NULL, "urn:example:two", 1, "card"},
    {OAS_PROMPT_LOGIN, -1, NULL, "urn:example:three", 1, ""},
};

START_TEST(offered_options)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_words_t *names = oas_words_create(pool);
    apr_array_header_t *offered;
    int i;

    ((oas_issuer_t *)tx->issuer)->login_options =
        apr_array_make(pool, 4, sizeof(oas_login_option_t));
    for (i = 0; i < 4; i++) {
        APR_ARRAY_PUSH(tx->issuer->login_options, oas_login_option_t) = options[i];
    }
    tx->prompt = wishes[_i].prompt;
    tx->max_age = wishes[_i].max_age;
    tx->hinted_sub = wishes[_i].hinted_sub;
    tx->acr_essential = wishes[_i].essential;
    if (wishes[_i].acr_values != NULL) {
        ck_assert_int_eq(oas_words_parse(&tx->acr_values, wishes[_i].acr_values, pool),
                         APR_SUCCESS);
    }
    offered = oas_login_options(tx, pool);
    for (i = 0; i < offered->nelts; i++) {
        oas_words_add(names, APR_ARRAY_IDX(offered, i, const oas_login_option_t *)->id);
    }
    ck_assert_str_eq(oas_words_join(names, pool), wishes[_i].offered);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("steps");
    TCase *login = unit_case(suite, "steps");
    TCase *page = unit_case(suite, "options");

    tcase_add_test(login, step_shows_its_page_until_it_is_done);
    tcase_add_test(login, step_adds_to_amr_and_acr);
    tcase_add_test(login, step_travels_and_comes_back);
    tcase_add_test(login, sealed_login_opens_one_session);
    tcase_add_test(login, login_without_steps_has_a_new_session);
    tcase_add_loop_test(page, offered_options, 0, sizeof(wishes) / sizeof(wishes[0]));
    return unit_run(suite);
}
