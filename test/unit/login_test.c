/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "../../lib/base/json.h"
#include "../../lib/login/consent.h"
#include "../../lib/login/interaction.h"
#include "../../lib/login/own_password.h"
#include "../../lib/login/password.h"
#include "../../lib/login/seal.h"
#include "../../lib/login/session.h"
#include "../../lib/login/subject.h"
#include "../../lib/login/throttle.h"
#include "../../lib/login/fold.h"
#include "fake_tx.h"

/* ---- seal ---- */

START_TEST(seal_round_trip)
{
    oas_issuer_t *issuer = fake_issuer(pool);
    const char *one, *two, *out;

    ck_assert_int_eq(oas_seal(&one, issuer, "ctx", "text", pool), APR_SUCCESS);
    ck_assert_int_eq(oas_seal(&two, issuer, "ctx", "text", pool), APR_SUCCESS);
    ck_assert_str_ne(one, two);
    ck_assert_int_eq(oas_unseal(&out, issuer, "ctx", one, pool), APR_SUCCESS);
    ck_assert_str_eq(out, "text");
    ck_assert_int_eq(oas_unseal(&out, issuer, "ctX", one, pool), APR_EACCES);
}
END_TEST

START_TEST(seal_any_bit_counts)
{
    oas_issuer_t *issuer = fake_issuer(pool);
    const char *sealed, *out;
    apr_size_t i;

    ck_assert_int_eq(oas_seal(&sealed, issuer, "ctx", "some text", pool), APR_SUCCESS);
    for (i = 0; i < strlen(sealed); i++) {
        char *altered = apr_pstrdup(pool, sealed);
        altered[i] = altered[i] == 'A' ? 'B' : 'A';
        ck_assert_int_eq(oas_unseal(&out, issuer, "ctx", altered, pool), APR_EACCES);
        altered[i] = '\0';
        ck_assert_int_eq(oas_unseal(&out, issuer, "ctx", altered, pool), APR_EACCES);
    }
}
END_TEST

START_TEST(seal_survives_secret_rotation)
{
    oas_issuer_t *issuer = fake_issuer(pool);
    oas_secret_t *old = APR_ARRAY_IDX(issuer->secrets, 0, oas_secret_t *);
    const char *sealed, *out;

    ck_assert_int_eq(oas_seal(&sealed, issuer, "ctx", "text", pool), APR_SUCCESS);
    APR_ARRAY_IDX(issuer->secrets, 0, oas_secret_t *) = fake_secret(pool, 'b');
    ck_assert_int_eq(oas_unseal(&out, issuer, "ctx", sealed, pool), APR_EACCES);
    APR_ARRAY_PUSH(issuer->secrets, oas_secret_t *) = old;
    ck_assert_int_eq(oas_unseal(&out, issuer, "ctx", sealed, pool), APR_SUCCESS);
    ck_assert_str_eq(out, "text");
}
END_TEST

START_TEST(seal_bounds)
{
    oas_issuer_t *issuer = fake_issuer(pool);
    char *big = apr_palloc(pool, 3 * OAS_SEAL_MAX);
    const char *out;

    memset(big, 'A', 3 * OAS_SEAL_MAX);
    big[OAS_SEAL_MAX + 1] = '\0';
    ck_assert_int_eq(oas_seal(&out, issuer, "ctx", big, pool), APR_ENOSPC);
    big[OAS_SEAL_MAX + 1] = 'A';
    big[3 * OAS_SEAL_MAX - 1] = '\0';
    ck_assert_int_eq(oas_unseal(&out, issuer, "ctx", big, pool), APR_EACCES);
    ck_assert_int_eq(oas_unseal(&out, issuer, "ctx", "", pool), APR_EACCES);
}
END_TEST

/* ---- interaction ---- */

/* A request whose form was sealed for `step`, as it comes back in the same browser. */
static oas_tx_t *sealed_form(oas_form_t step)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_session_t session = {.now = 1000};
    const char *sealed;

    fake_params(tx, "client_id=app&state=s%20t&scope=openid&unknown=x");
    tx->browser = BINDING;
    tx->session_handle = HANDLE;
    tx->session = &session;
    tx->login_time = 990;
    ck_assert_int_eq(oas_interaction_seal(tx, step, &sealed), APR_SUCCESS);
    tx->session = NULL;
    tx->login_time = 0;
    tx->form = oas_params_create(pool);
    oas_params_add(tx->form, "client_id", "app");
    oas_params_add(tx->form, OAS_FIELD_STEP, oas_form_name(step));
    oas_params_add(tx->form, OAS_FIELD_INTERACTION, sealed);
    return tx;
}

static void set_form(oas_tx_t *tx, int index, const char *value)
{
    APR_ARRAY_IDX(tx->form->list, index, oas_param_t).value = value;
}

START_TEST(interaction_round_trip)
{
    oas_tx_t *tx = sealed_form(OAS_FORM_CONSENT);

    ck_assert_int_eq(oas_interaction_open(tx), APR_SUCCESS);
    ck_assert_int_eq(tx->form_step, OAS_FORM_CONSENT);
    ck_assert_str_eq(oas_params_get(tx->params, "state"), "s t");
    ck_assert_ptr_null(oas_params_get(tx->params, "unknown"));
    ck_assert_int_eq(tx->started, 1000);
    ck_assert_int_eq(tx->login_time, 990);
}
END_TEST

/* The wish to stay signed in travels to the end of a login, and counts only where it is offered. */
START_TEST(interaction_carries_the_wish_to_stay)
{
    int offered;

    for (offered = 0; offered <= 1; offered++) {
        oas_tx_t *tx = fake_tx(pool);
        const char *sealed;

        tx->browser = BINDING;
        tx->keep = 1;
        ck_assert_int_eq(oas_interaction_seal(tx, OAS_FORM_LOGIN, &sealed), APR_SUCCESS);
        tx->keep = 0;
        ((oas_issuer_t *)tx->issuer)->keep_signed_in = offered;
        tx->form = oas_params_create(pool);
        oas_params_add(tx->form, OAS_FIELD_STEP, "login");
        oas_params_add(tx->form, OAS_FIELD_INTERACTION, sealed);
        oas_params_add(tx->form, "client_id", tx->client->client_id);
        ck_assert_int_eq(oas_interaction_open(tx), APR_SUCCESS);
        ck_assert_int_eq(tx->keep, offered);
    }
}
END_TEST

START_TEST(interaction_is_bound)
{
    oas_tx_t *tx;

    tx = sealed_form(OAS_FORM_CONSENT);
    set_form(tx, 0, "other");
    ck_assert_int_eq(oas_interaction_open(tx), APR_EACCES);
    tx = sealed_form(OAS_FORM_CONSENT);
    set_form(tx, 1, "login");
    ck_assert_int_eq(oas_interaction_open(tx), APR_EACCES);
    tx = sealed_form(OAS_FORM_CONSENT);
    tx->browser = "CAAAAAAAAAAAAAAAAAAAAA";
    ck_assert_int_eq(oas_interaction_open(tx), APR_EACCES);
    tx = sealed_form(OAS_FORM_CONSENT);
    tx->session_handle = NULL;
    ck_assert_int_eq(oas_interaction_open(tx), APR_EACCES);
    tx = sealed_form(OAS_FORM_CONSENT);
    ((oas_issuer_t *)tx->issuer)->url = "https://as2.example/";
    ck_assert_int_eq(oas_interaction_open(tx), APR_EACCES);
    tx = sealed_form(OAS_FORM_CONSENT);
    tx->endpoint = OAS_EP_USERINFO;
    ck_assert_int_eq(oas_interaction_open(tx), APR_EACCES);
}
END_TEST

/* A page of an endpoint that no application takes part in. */
START_TEST(interaction_without_client)
{
    oas_tx_t *tx = fake_tx(pool);
    const char *sealed;

    tx->client = NULL;
    tx->endpoint = OAS_EP_USERINFO;
    tx->browser = BINDING;
    tx->session_handle = HANDLE;
    ck_assert_int_eq(oas_interaction_seal(tx, OAS_FORM_CONFIRM, &sealed), APR_SUCCESS);
    tx->form = oas_params_create(pool);
    oas_params_add(tx->form, OAS_FIELD_STEP, "confirm");
    oas_params_add(tx->form, OAS_FIELD_INTERACTION, sealed);
    ck_assert_int_eq(oas_interaction_open(tx), APR_SUCCESS);
    ck_assert_int_eq(tx->form_step, OAS_FORM_CONFIRM);
    oas_params_add(tx->form, "client_id", "app");
    ck_assert_int_eq(oas_interaction_open(tx), APR_EACCES);
}
END_TEST

/* A form of the version that knew one endpoint only, in the words of that version. */
START_TEST(interaction_of_the_former_version)
{
    oas_tx_t *tx = sealed_form(OAS_FORM_LOGIN);
    const char *expires = apr_psprintf(pool, "%" APR_TIME_T_FMT, apr_time_sec(apr_time_now()) + 99);
    const char *context =
        apr_pstrcat(pool, "interaction\nhttps://as.example/\nlogin\napp\n\n\n", expires, NULL);
    const char *sealed;

    ck_assert_int_eq(oas_seal(&sealed, tx->issuer, context,
                              "{\"params\":{\"client_id\":\"app\",\"state\":\"old\"},"
                              "\"browser\":\"" BINDING "\"}",
                              pool),
                     APR_SUCCESS);
    set_form(tx, 2, apr_pstrcat(pool, expires, ".", sealed, NULL));
    ck_assert_int_eq(oas_interaction_open(tx), APR_SUCCESS);
    ck_assert_int_eq(tx->form_step, OAS_FORM_LOGIN);
    ck_assert_str_eq(oas_params_get(tx->params, "state"), "old");
    tx->endpoint = OAS_EP_USERINFO; /* no other endpoint had forms */
    ck_assert_int_eq(oas_interaction_open(tx), APR_EACCES);
}
END_TEST

START_TEST(interaction_login_survives_other_tab)
{
    oas_tx_t *tx = sealed_form(OAS_FORM_LOGIN);

    tx->session_handle = NULL; /* another tab has signed in or out meanwhile */
    ck_assert_int_eq(oas_interaction_open(tx), APR_SUCCESS);
}
END_TEST

START_TEST(interaction_login_of_another_cookie)
{
    oas_tx_t *tx = sealed_form(OAS_FORM_LOGIN);

    tx->browser = "CAAAAAAAAAAAAAAAAAAAAA";
    ck_assert_int_eq(oas_interaction_open(tx), APR_EMISMATCH);
    ck_assert_int_eq(tx->form_step, OAS_FORM_NONE); /* nothing that was typed counts */
    ck_assert_str_eq(oas_params_get(tx->params, "state"), "s t");
}
END_TEST

START_TEST(interaction_carries_only_known_parameters)
{
    oas_tx_t *tx = fake_tx(pool);

    fake_params(tx, "client_id=app&password=secret&scope=openid&client_secret=x&state=s");
    ck_assert_str_eq(oas_params_encode(oas_interaction_params(tx->params, pool), pool),
                     "client_id=app&scope=openid&state=s");
}
END_TEST

START_TEST(interaction_expiry)
{
    oas_tx_t *tx = sealed_form(OAS_FORM_LOGIN);
    const char *value = oas_params_get(tx->form, OAS_FIELD_INTERACTION);

    /* an altered expiry is not authentic */
    set_form(tx, 2, apr_pstrcat(pool, "1000.", strchr(value, '.') + 1, NULL));
    ck_assert_int_eq(oas_interaction_open(tx), APR_EACCES);
    /* the clock of this node has run past the end */
    tx = sealed_form(OAS_FORM_LOGIN);
    ((oas_issuer_t *)tx->issuer)->clock_skew =
        apr_time_from_sec(-(apr_int64_t)OAS_INTERACTION_LIFETIME - 1);
    ck_assert_int_eq(oas_interaction_open(tx), APR_TIMEUP);
}
END_TEST

static const char *const bad_interactions[] = {"",          ".",     "x", "1.", "99999999999999.x",
                                               "1\n2.AAAA", "1.AAAA"};

START_TEST(interaction_garbage)
{
    oas_tx_t *tx = sealed_form(OAS_FORM_LOGIN);

    set_form(tx, 2, bad_interactions[_i]);
    ck_assert_int_eq(oas_interaction_open(tx), APR_EACCES);
}
END_TEST

START_TEST(interaction_too_long)
{
    oas_tx_t *tx = fake_tx(pool);
    char *state = apr_palloc(pool, OAS_INTERACTION_MAX + 1);
    const char *sealed;

    memset(state, 'a', OAS_INTERACTION_MAX);
    state[OAS_INTERACTION_MAX] = '\0';
    oas_params_add(tx->params, "state", state);
    tx->browser = BINDING;
    ck_assert_int_eq(oas_interaction_seal(tx, OAS_FORM_LOGIN, &sealed), APR_ENOSPC);
}
END_TEST

/* ---- subject and claims ---- */

static const struct {
    const char *provider, *name;
    int ignores_case;
    const char *sub;
} subjects[] = {
    {"oauth2as", "Alice", 1, "oauth2as|alice"},
    {"file", "Alice", 0, "file|Alice"},
    {"file", "a b%", 0, "file|a%20b%25"},
    {"ldap", "\xc3\xa4", 1, "ldap|%C3%A4"},
};

START_TEST(subject_cases)
{
    oas_identity_t identity = {.provider = subjects[_i].provider,
                               .name = subjects[_i].name,
                               .ignores_case = subjects[_i].ignores_case};
    const char *sub;

    ck_assert_int_eq(oas_subject_make(fake_tx(pool), &identity, &sub), APR_SUCCESS);
    ck_assert_str_eq(sub, subjects[_i].sub);
}
END_TEST

START_TEST(subject_long_and_expression)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_identity_t identity = {.provider = "file", .name = apr_psprintf(pool, "%0300d", 1)};
    const char *sub;

    ck_assert_int_eq(oas_subject_make(tx, &identity, &sub), APR_SUCCESS);
    ck_assert_uint_eq(strlen(sub), strlen("file|sha256:") + 43);
    ((oas_issuer_t *)tx->issuer)->subject = fake_expr(pool, "employee 7");
    ck_assert_int_eq(oas_subject_make(tx, &identity, &sub), APR_SUCCESS);
    ck_assert_str_eq(sub, "employee%207");
    ((oas_issuer_t *)tx->issuer)->subject = fake_expr(pool, "");
    ck_assert_int_eq(oas_subject_make(tx, &identity, &sub), APR_EGENERAL);
    ((oas_issuer_t *)tx->issuer)->subject = fake_expr(pool, "(fail)");
    ck_assert_int_eq(oas_subject_make(tx, &identity, &sub), APR_EGENERAL);
    /* what a client's own tokens have as sub */
    ((oas_issuer_t *)tx->issuer)->subject = fake_expr(pool, "app");
    ck_assert_int_eq(oas_subject_make(tx, &identity, &sub), APR_EGENERAL);
    ((oas_issuer_t *)tx->issuer)->subject = fake_expr(pool, "other@clients");
    ck_assert_int_eq(oas_subject_make(tx, &identity, &sub), APR_EGENERAL);
}
END_TEST

static void add_claim(oas_tx_t *tx, const char *name, const char *value, oas_claim_type_t type)
{
    oas_claim_t *claim = apr_array_push(tx->issuer->claims);

    *claim = (oas_claim_t){
        .name = name, .value = fake_expr(pool, value), .type = type, .in = OAS_IN_ID_TOKEN};
}

START_TEST(claims_by_type)
{
    oas_tx_t *tx = fake_tx(pool);
    json_t *claims;

    add_claim(tx, "name", "Alice", OAS_CLAIM_STRING);
    add_claim(tx, "empty", "", OAS_CLAIM_STRING);
    add_claim(tx, "failing", "(fail)", OAS_CLAIM_STRING);
    add_claim(tx, "email_verified", "true", OAS_CLAIM_BOOLEAN);
    add_claim(tx, "locked", "F", OAS_CLAIM_BOOLEAN);
    add_claim(tx, "odd", "maybe", OAS_CLAIM_BOOLEAN);
    add_claim(tx, "updated_at", "1700000000", OAS_CLAIM_INTEGER);
    add_claim(tx, "no_number", "12x", OAS_CLAIM_INTEGER);
    add_claim(tx, "address", "{\"country\":\"NL\"}", OAS_CLAIM_JSON);
    add_claim(tx, "broken", "{", OAS_CLAIM_JSON);
    add_claim(tx, "latin1", "\xe4", OAS_CLAIM_STRING);
    ck_assert_int_eq(oas_subject_claims(tx, &claims), APR_SUCCESS);
    ck_assert_str_eq(oas_json_text(pool, claims),
                     "{\"name\":\"Alice\",\"email_verified\":true,\"locked\":false,"
                     "\"updated_at\":1700000000,\"address\":{\"country\":\"NL\"}}");
}
END_TEST

/* ---- throttle ---- */

static const struct {
    const char *name, *folded;
} folds[] = {
    {"alice", "alice"},
    {"", ""},
    {" Al\tICE\x7f", "alice"},
    {"\xef\xbd\x81\xe2\x93\x9b\xef\xbc\xa9"
     "ce",
     "alice"}, /* full width, circled */
    {"ali\xcc\x81"
     "ce\xe2\x80\x8b",
     "alice"},                                      /* accent, no width */
    {"a\xc2\xadl\xc2\xa0ice\xef\xbf\xbc", "alice"}, /* soft hyphen, hard blank */
    {"Zo\xc3\x8b", "zoe"},                          /* precomposed */
    {"stra\xc3\x9f"
     "e",
     "strasse"},                                              /* sharp s */
    {"\xe3\x82\xab\xe3\x82\xac", "\xe3\x81\x8b\xe3\x81\x8b"}, /* katakana */
    {"\xef\xbd\xb6", "\xe3\x81\x8b"},                         /* of half width */
    {"\xd0\x90lice", "\xd0\xb0lice"},                         /* a look-alike is another letter */
    {"Al\xff ice", "al\xffice"},                              /* no UTF-8 */
};

START_TEST(folded_names)
{
    ck_assert_str_eq(oas_fold_name(folds[_i].name, pool), folds[_i].folded);
}
END_TEST

START_TEST(throttle_forgets)
{
    oas_tx_t *tx = fake_tx(pool);

    ck_assert(oas_throttle_forgets(tx, " ALICE", "alice"));
    ck_assert(!oas_throttle_forgets(tx, "alice", "bob"));
    ((oas_issuer_t *)tx->issuer)->names_ignore_case = 0;
    ck_assert(!oas_throttle_forgets(tx, "alice", "alice"));
}
END_TEST

START_TEST(throttle_counters)
{
    oas_tx_t *tx = fake_tx(pool);
    unsigned char account[OAS_SHA256_LEN];
    oas_throttle_attempt_t one, two;

    tx->request.address = "2001:db8::1";
    oas_throttle_describe(tx, "Alice", account, &one);
    tx->request.address = "2001:db8::ffff:2";
    oas_throttle_describe(tx, " aLI CE\t", account, &two);
    ck_assert_mem_eq(one.key, two.key, sizeof(one.key)); /* one /64, one account */
    tx->request.address = "2001:db8:0:1::1";
    oas_throttle_describe(tx, "alice", account, &two);
    ck_assert_mem_ne(one.key[OAS_THROTTLE_ADDRESS], two.key[OAS_THROTTLE_ADDRESS], OAS_SHA256_LEN);
    ck_assert_mem_ne(one.key[OAS_THROTTLE_PAIR], two.key[OAS_THROTTLE_PAIR], OAS_SHA256_LEN);
    ck_assert_mem_eq(one.key[OAS_THROTTLE_ACCOUNT], two.key[OAS_THROTTLE_ACCOUNT], OAS_SHA256_LEN);
    tx->request.address = "192.0.2.7";
    oas_throttle_describe(tx, "alice", account, &one);
    tx->request.address = "::ffff:192.0.2.7";
    oas_throttle_describe(tx, "alice", account, &two);
    ck_assert_mem_eq(one.key, two.key, sizeof(one.key));
    ck_assert_int_eq(one.limit[OAS_THROTTLE_PAIR], 10);
}
END_TEST

#define LOOP(tcase, test, table)                                                                   \
    tcase_add_loop_test(tcase, test, 0, sizeof(table) / sizeof((table)[0]))

static const struct {
    const char *password, *again;
    oas_new_password_t result;
} new_passwords[] = {
    {"12345678", "12345678", OAS_NEW_PASSWORD_GOOD},
    {"1234567", "1234567", OAS_NEW_PASSWORD_SHORT},
    {"", "", OAS_NEW_PASSWORD_SHORT},
    {"12345678", "12345679", OAS_NEW_PASSWORD_MISMATCH},
    {"12345678", "", OAS_NEW_PASSWORD_MISMATCH},
    {"12345678", "123456789", OAS_NEW_PASSWORD_MISMATCH},
    /* characters count, not bytes: seven and eight of three bytes each */
    {"\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5",
     "\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5",
     OAS_NEW_PASSWORD_SHORT},
    {"\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d"
     "\xb5",
     "\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d\xb5\xe9\x8d"
     "\xb5",
     OAS_NEW_PASSWORD_GOOD},
};

START_TEST(new_password_cases)
{
    ck_assert_int_eq(oas_new_password_check(new_passwords[_i].password, new_passwords[_i].again),
                     new_passwords[_i].result);
}
END_TEST

/* What can be set can be typed at the login page. */
START_TEST(new_password_length)
{
    char *password = apr_pcalloc(pool, OAS_PASSWORD_MAX + 2);

    memset(password, 'x', OAS_PASSWORD_MAX);
    ck_assert_int_eq(oas_new_password_check(password, password), OAS_NEW_PASSWORD_GOOD);
    password[OAS_PASSWORD_MAX] = 'x';
    ck_assert_int_eq(oas_new_password_check(password, password), OAS_NEW_PASSWORD_LONG);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("login");
    TCase *sealing = unit_case(suite, "seal");
    TCase *forms = unit_case(suite, "interaction");
    TCase *people = unit_case(suite, "people");

    tcase_add_test(sealing, seal_round_trip);
    tcase_add_test(sealing, seal_any_bit_counts);
    tcase_add_test(sealing, seal_survives_secret_rotation);
    tcase_add_test(sealing, seal_bounds);
    tcase_add_test(forms, interaction_round_trip);
    tcase_add_test(forms, interaction_login_of_another_cookie);
    tcase_add_test(forms, interaction_carries_the_wish_to_stay);
    tcase_add_test(forms, interaction_is_bound);
    tcase_add_test(forms, interaction_without_client);
    tcase_add_test(forms, interaction_of_the_former_version);
    tcase_add_test(forms, interaction_login_survives_other_tab);
    tcase_add_test(forms, interaction_carries_only_known_parameters);
    tcase_add_test(forms, interaction_expiry);
    LOOP(forms, interaction_garbage, bad_interactions);
    tcase_add_test(forms, interaction_too_long);
    LOOP(people, subject_cases, subjects);
    tcase_add_test(people, subject_long_and_expression);
    tcase_add_test(people, claims_by_type);
    tcase_add_test(people, throttle_counters);
    tcase_add_test(people, throttle_forgets);
    LOOP(people, folded_names, folds);
    LOOP(people, new_password_cases, new_passwords);
    tcase_add_test(people, new_password_length);
    return unit_run(suite);
}
