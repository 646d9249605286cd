/* SPDX-License-Identifier: Apache-2.0 */
/* Does the browser's session answer the request, and is the user to be asked? */
#include "unit.h"

#include "../../lib/login/consent.h"
#include "../../lib/login/session.h"
#include "fake_tx.h"

static const struct {
    unsigned prompt;
    apr_int64_t max_age, age, login_age;
    int satisfied;
} sessions[] = {
    {0, -1, 100000, -1, 1},
    {0, 100, 99, -1, 1},
    {0, 100, 100, -1, 0},
    {0, 0, 30, 30, 1}, /* signed in during this interaction; the consent page stayed open */
    {OAS_PROMPT_LOGIN, -1, 0, -1, 0},
    {OAS_PROMPT_LOGIN, -1, 30, 30, 1},
    {OAS_PROMPT_LOGIN, -1, 30, 40, 0},
    {OAS_PROMPT_CREATE, -1, 0, -1, 0},
    {OAS_PROMPT_CREATE, -1, 30, 30, 1},
};

START_TEST(session_satisfies)
{
    oas_session_t session = {.now = 1000000};
    oas_tx_t *tx = fake_tx(pool);

    tx->prompt = sessions[_i].prompt;
    tx->max_age = sessions[_i].max_age;
    ck_assert(!oas_session_satisfies(tx));
    session.auth_time = session.now - sessions[_i].age;
    tx->login_time = sessions[_i].login_age < 0 ? 0 : session.now - sessions[_i].login_age;
    tx->session = &session;
    ck_assert_int_eq(oas_session_satisfies(tx), sessions[_i].satisfied);
}
END_TEST

static const struct {
    const char *hinted;
    int just_signed_in, satisfied, another;
} hints[] = {
    {"file|alice", 0, 1, 0}, {"file|bob", 0, 0, 1}, {"file|bob", 1, 0, 1},
    {"", 0, 0, 0}, /* an unknown hint names nobody: somebody has to sign in, whoever it is */
    {"", 1, 1, 0},
};

START_TEST(session_of_the_hinted_user)
{
    oas_session_t session = {.sub = "file|alice", .now = 1000, .auth_time = 900};
    oas_tx_t *tx = fake_tx(pool);

    tx->session = &session;
    tx->hinted_sub = hints[_i].hinted;
    tx->hinted_client = hints[_i].hinted[0] != '\0' ? tx->client : NULL;
    tx->login_time = hints[_i].just_signed_in ? session.auth_time : 0;
    ck_assert_int_eq(oas_session_satisfies(tx), hints[_i].satisfied);
    ck_assert_int_eq(oas_session_is_another(tx), hints[_i].another);
}
END_TEST

static const struct {
    const char *expected;
    int satisfied, another;
} expectations[] = {{"file|alice", 1, 0}, {"file|bob file|alice", 1, 0}, {"file|bob", 0, 1}};

START_TEST(session_of_the_expected_user)
{
    oas_session_t session = {.sub = "file|alice", .now = 1000, .auth_time = 900};
    oas_tx_t *tx = fake_tx(pool);

    tx->session = &session;
    oas_words_parse(&tx->expected_subs, expectations[_i].expected, pool);
    ck_assert_int_eq(oas_session_satisfies(tx), expectations[_i].satisfied);
    ck_assert_int_eq(oas_session_is_another(tx), expectations[_i].another);
    tx->login_time = session.auth_time; /* a login does not make them somebody else */
    ck_assert_int_eq(oas_session_satisfies(tx), expectations[_i].satisfied);
}
END_TEST

START_TEST(session_whose_age_nobody_knows)
{
    oas_session_t session = {.sub = "file|alice", .now = 1000};
    oas_tx_t *tx = fake_tx(pool);

    tx->session = &session;
    ck_assert(oas_session_satisfies(tx));
    tx->max_age = 999999999;
    ck_assert(!oas_session_satisfies(tx));
    tx->max_age = -1;
    tx->prompt = OAS_PROMPT_LOGIN;
    ck_assert(!oas_session_satisfies(tx));
}
END_TEST

/* The options reach silver and gold. */
static const struct {
    const char *asked;
    int essential;
    const char *has;
    oas_form_t form;
    unsigned prompt;
    int satisfied, reachable;
} acrs[] = {
    {"gold", 1, "gold", OAS_FORM_NONE, 0, 1, 1},
    {"gold", 1, "silver", OAS_FORM_NONE, 0, 0, 1},
    {"gold", 1, "silver", OAS_FORM_RESUME, 0, 0, 1}, /* whoever came back is still too weak */
    {"gold", 1, NULL, OAS_FORM_NONE, 0, 0, 1},
    {"iron", 1, "gold", OAS_FORM_NONE, 0, 0, 0},
    {"", 1, "gold", OAS_FORM_NONE, 0, 0, 0},
    {"gold silver", 0, "silver", OAS_FORM_NONE, 0, 1, 1},
    {"gold", 0, "silver", OAS_FORM_NONE, 0, 0, 1},
    {"gold", 0, "silver", OAS_FORM_RESUME, 0, 1, 1}, /* asked once */
    {"gold", 0, "silver", OAS_FORM_CONSENT, 0, 1, 1},
    {"gold", 0, "silver", OAS_FORM_NONE, OAS_PROMPT_NONE, 1, 1},
    {"iron", 0, "silver", OAS_FORM_NONE, 0, 1, 0},
};

START_TEST(session_strong_enough)
{
    oas_session_t session = {.sub = "file|alice", .now = 1000, .auth_time = 900};
    oas_tx_t *tx = fake_tx(pool);
    apr_array_header_t *options = apr_array_make(pool, 2, sizeof(oas_login_option_t));

    APR_ARRAY_PUSH(options, oas_login_option_t) = (oas_login_option_t){.id = "a"};
    APR_ARRAY_PUSH(options, oas_login_option_t) = (oas_login_option_t){.id = "b", .acr = "silver"};
    APR_ARRAY_PUSH(options, oas_login_option_t) = (oas_login_option_t){.id = "c", .acr = "gold"};
    ((oas_issuer_t *)tx->issuer)->login_options = options;
    session.acr = acrs[_i].has;
    tx->session = &session;
    oas_words_parse(&tx->acr_values, acrs[_i].asked, pool);
    tx->acr_essential = acrs[_i].essential;
    tx->form_step = acrs[_i].form;
    tx->prompt = acrs[_i].prompt;
    ck_assert_int_eq(oas_session_satisfies(tx), acrs[_i].satisfied);
    ck_assert_int_eq(oas_acr_reachable(tx), acrs[_i].reachable);
}
END_TEST

static const struct {
    unsigned prompt;
    oas_form_t form;
    int chosen, other, needed, satisfied;
} choices[] = {
    {0, OAS_FORM_NONE, 0, 0, 0, 1},
    {OAS_PROMPT_SELECT_ACCOUNT, OAS_FORM_NONE, 0, 0, 1, 1},
    {OAS_PROMPT_SELECT_ACCOUNT, OAS_FORM_SELECT, 0, 0, 1, 1},
    {OAS_PROMPT_SELECT_ACCOUNT, OAS_FORM_SELECT, 1, 0, 0, 1},
    {OAS_PROMPT_SELECT_ACCOUNT, OAS_FORM_SELECT, 0, 1, 1, 0},
    {OAS_PROMPT_SELECT_ACCOUNT, OAS_FORM_RESUME, 0, 0, 0, 1},
    {OAS_PROMPT_SELECT_ACCOUNT, OAS_FORM_CONSENT, 0, 0, 0, 1},
};

START_TEST(account_is_chosen_once)
{
    oas_session_t session = {.sub = "file|alice", .now = 1000, .auth_time = 900};
    oas_tx_t *tx = fake_tx(pool);

    tx->session = &session;
    tx->prompt = choices[_i].prompt;
    tx->form_step = choices[_i].form;
    tx->account_chosen = choices[_i].chosen;
    tx->other_account = choices[_i].other;
    ck_assert_int_eq(oas_session_needs_choice(tx), choices[_i].needed);
    ck_assert_int_eq(oas_session_satisfies(tx), choices[_i].satisfied);
}
END_TEST

static oas_tx_t *consent_tx(oas_session_t *session, const char *asked, const char *known)
{
    oas_tx_t *tx = fake_tx(pool);

    oas_words_parse(&tx->scopes, asked, pool);
    tx->permissions = tx->scopes;
    if (known != NULL) {
        oas_words_parse(&session->consented, known, pool);
    }
    tx->session = session;
    return tx;
}

START_TEST(consent_remembered)
{
    oas_session_t session = {0};
    oas_tx_t *tx = consent_tx(&session, "openid email", NULL);

    ck_assert(!oas_consent_covers(tx));
    tx = consent_tx(&session, "openid email", "openid");
    ck_assert(!oas_consent_covers(tx));
    tx->consent_given = 1;
    ck_assert(oas_consent_covers(tx));
    tx = consent_tx(&session, "openid email", "email openid profile");
    ck_assert(oas_consent_covers(tx));
    tx->prompt = OAS_PROMPT_CONSENT;
    ck_assert(!oas_consent_covers(tx));
}
END_TEST

START_TEST(consent_skipped_only_by_rule)
{
    oas_session_t session = {0};
    oas_tx_t *tx = consent_tx(&session, "openid", NULL);
    oas_client_t *client = (oas_client_t *)tx->client;

    ((oas_issuer_t *)tx->issuer)->skip_consent = fake_expr(pool, "true");
    oas_load_consent(tx);
    ck_assert(!oas_consent_covers(tx)); /* a third party's client is always asked */
    client->first_party = 1;
    client->skip_consent = fake_expr(pool, "false");
    oas_load_consent(tx);
    ck_assert(!oas_consent_covers(tx));
    client->skip_consent = NULL;
    tx->prompt = OAS_PROMPT_CONSENT;
    oas_load_consent(tx);
    ck_assert(!oas_consent_covers(tx));
    tx->prompt = 0;
    oas_load_consent(tx);
    ck_assert(oas_consent_covers(tx));
}
END_TEST

START_TEST(consent_never_silent_where_unproven)
{
    oas_session_t session = {0};
    oas_tx_t *tx = consent_tx(&session, "openid", "openid");
    oas_client_t *client = (oas_client_t *)tx->client;

    client->type = OAS_CLIENT_NATIVE;
    client->first_party = 1;
    client->skip_consent = fake_expr(pool, "true");
    tx->redirect_uri = "com.example.app:/cb";
    oas_load_consent(tx);
    ck_assert(!oas_consent_covers(tx));
    tx->redirect_uri = "http://127.0.0.1:5000/cb";
    oas_load_consent(tx);
    ck_assert(!oas_consent_covers(tx));
    tx->form_step = OAS_FORM_RESUME; /* the user has just signed in on our page */
    oas_load_consent(tx);
    ck_assert(oas_consent_covers(tx));
    tx->form_step = OAS_FORM_NONE;
    tx->consent_skipped = 0;
    tx->redirect_uri = "https://app.example/claimed";
    oas_load_consent(tx);
    ck_assert(oas_consent_covers(tx));
}
END_TEST

#define LOOP(tcase, test, table)                                                                   \
    tcase_add_loop_test(tcase, test, 0, sizeof(table) / sizeof((table)[0]))

int main(void)
{
    Suite *suite = suite_create("session");
    TCase *tcase = unit_case(suite, "session");

    LOOP(tcase, session_satisfies, sessions);
    LOOP(tcase, session_of_the_hinted_user, hints);
    LOOP(tcase, session_of_the_expected_user, expectations);
    tcase_add_test(tcase, session_whose_age_nobody_knows);
    LOOP(tcase, session_strong_enough, acrs);
    LOOP(tcase, account_is_chosen_once, choices);
    tcase_add_test(tcase, consent_remembered);
    tcase_add_test(tcase, consent_skipped_only_by_rule);
    tcase_add_test(tcase, consent_never_silent_where_unproven);
    return unit_run(suite);
}
