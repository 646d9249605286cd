/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks for a logout, whether its user has to be asked, and where the browser may go. */
#include "check_test.h"

#include "../../lib/base/json.h"
#include "../../lib/base/subject.h"
#include "../../lib/check/logout.h"
#include "../../lib/jose/jwt.h"
#include "../../lib/store/client.h"

#define OUT "post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fout"

apr_status_t __wrap_oas_store_client_load(oas_db_t *db, const char *client_id, oas_client_t **out,
                                          apr_pool_t *p);

/* No client is in the database. */
apr_status_t __wrap_oas_store_client_load(oas_db_t *db, const char *client_id, oas_client_t **out,
                                          apr_pool_t *p)
{
    return APR_ENOENT;
}

static oas_keyset_t *keys;

static const oas_signer_t *signer(void)
{
    oas_jwk_t *jwk;

    keys = oas_keyset_create(pool);
    ck_assert_int_eq(oas_jwk_create(&jwk, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(oas_keyset_add(keys, jwk, oas_alg_find("EdDSA"), OAS_KEY_ACTIVE), APR_SUCCESS);
    return oas_keyset_signer(keys, "EdDSA");
}

/* What the hint says: an ID token of the session, or one that differs. */
typedef enum {
    NO_HINT,
    GOOD,
    EXPIRED,
    OTHER_SESSION,
    NO_SESSION,
    NO_SUBJECT,
    GONE,  /* of a client that is none any more */
    TWICE, /* two audiences */
    ACCESS_TOKEN,
    LOGOUT_TOKEN,
    FOREIGN,
    GARBAGE
} hint_t;

static const char *make_hint(hint_t kind)
{
    const oas_signer_t *own = signer();
    oas_keyset_t *set = keys;
    json_t *claims = oas_json_object(pool);
    const char *text;

    if (kind == FOREIGN) {
        own = signer();
        keys = set;
    }
    oas_json_set(claims, "iss", "https://as.example/");
    oas_json_set(claims, "sub", kind == NO_SUBJECT ? NULL : "alice");
    oas_json_set(claims, "aud", kind == GONE ? "gone" : "app");
    if (kind == TWICE) {
        json_object_set_new(claims, "aud", json_pack("[ss]", "app", "other"));
    }
    oas_json_set(claims, "sid",
                 kind == NO_SESSION ? NULL : (kind == OTHER_SESSION ? "other" : "session"));
    json_object_set_new(claims, "exp", json_integer(kind == EXPIRED ? 1 : 4000000000));
    ck_assert_int_eq(oas_jwt_sign(&text, own,
                                  kind == ACCESS_TOKEN   ? "at+jwt"
                                  : kind == LOGOUT_TOKEN ? "logout+jwt"
                                                         : "JWT",
                                  oas_json_text(pool, claims), pool),
                     APR_SUCCESS);
    return kind == GARBAGE ? "not.a.token" : text;
}

static const struct {
    hint_t hint;
    const char *params;
    int session; /* 1: somebody is signed in */
    oas_error_id_t error;
    int confirmed, returns;
} requests[] = {
    {GOOD, OUT, 1, OAS_E_NONE, 1, 1},
    {EXPIRED, OUT, 1, OAS_E_NONE, 1, 1},
    {GOOD, "", 1, OAS_E_NONE, 1, 0},
    {GOOD, OUT "&client_id=app", 1, OAS_E_NONE, 1, 1},
    {GOOD, OUT "&client_id=other", 1, OAS_E_LOGOUT_HINT, 0, 0},
    {GOOD, OUT "&logout_hint=session", 1, OAS_E_NONE, 1, 1},
    {GOOD, OUT "&logout_hint=alice", 1, OAS_E_NONE, 1, 1},
    {GOOD, OUT "&logout_hint=bob", 1, OAS_E_NONE, 0, 1},
    {GOOD, OUT "x", 1, OAS_E_LOGOUT_RETURN, 0, 0},
    {GOOD, OUT, 0, OAS_E_NONE, 1, 1},
    {OTHER_SESSION, OUT, 1, OAS_E_NONE, 0, 1},
    {OTHER_SESSION, OUT "&logout_hint=session", 1, OAS_E_NONE, 0, 1},
    {OTHER_SESSION, OUT, 0, OAS_E_NONE, 1, 1},
    {NO_SESSION, OUT, 1, OAS_E_NONE, 0, 1},
    {NO_SUBJECT, OUT, 1, OAS_E_NONE, 0, 0},
    {GONE, OUT, 1, OAS_E_NONE, 0, 0},
    {GONE, OUT, 0, OAS_E_NONE, 1, 0},
    {TWICE, OUT "&client_id=app", 1, OAS_E_NONE, 0, 0},
    {ACCESS_TOKEN, OUT "&client_id=app", 1, OAS_E_NONE, 0, 0},
    {LOGOUT_TOKEN, OUT "&client_id=app", 1, OAS_E_NONE, 0, 0},
    {FOREIGN, OUT "&client_id=app", 1, OAS_E_NONE, 0, 0},
    {FOREIGN, OUT "&client_id=app&logout_hint=session", 1, OAS_E_NONE, 0, 0},
    {FOREIGN, OUT "&client_id=app", 0, OAS_E_NONE, 1, 0},
    {GARBAGE, OUT "&client_id=app", 1, OAS_E_NONE, 0, 0},
    {NO_HINT, "", 1, OAS_E_NONE, 0, 0},
    {NO_HINT, "", 0, OAS_E_NONE, 1, 0},
    {NO_HINT, OUT, 1, OAS_E_NONE, 0, 0},
    {NO_HINT, OUT "&client_id=app", 1, OAS_E_NONE, 0, 1},
    {NO_HINT, OUT "&client_id=app", 0, OAS_E_NONE, 1, 1},
    {NO_HINT, OUT "x&client_id=app", 1, OAS_E_LOGOUT_RETURN, 0, 0},
    {NO_HINT, OUT "&client_id=app&logout_hint=session", 1, OAS_E_NONE, 1, 1},
    {NO_HINT, "logout_hint=session", 1, OAS_E_NONE, 1, 0},
    {NO_HINT, OUT "&client_id=app&logout_hint=sessio", 1, OAS_E_NONE, 0, 1},
    {NO_HINT, "confirm=yes", 1, OAS_E_NONE, 0, 0},
};

static oas_tx_t *make_tx(int signed_in)
{
    oas_tx_t *tx = fake_tx(pool);
    oas_client_t *client = (oas_client_t *)tx->client;

    client->post_logout_redirect_uris = oas_words_create(pool);
    oas_words_add(client->post_logout_redirect_uris, "https://app.example/out");
    oas_words_add(client->post_logout_redirect_uris, "https://app.example/second");
    tx->client = NULL;
    tx->endpoint = OAS_EP_LOGOUT;
    if (signed_in) {
        tx->session = apr_pcalloc(pool, sizeof(*tx->session));
        tx->session->id = "session";
        tx->session->sub = "alice";
    }
    return tx;
}

static oas_outcome_t run_steps(oas_tx_t *tx)
{
    static oas_outcome_t (*const steps[])(oas_tx_t *) = {
        oas_load_logout_hint, oas_load_logout_client, oas_check_post_logout_redirect_uri};
    oas_outcome_t outcome = OAS_NEXT;
    apr_size_t i;

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]) && outcome == OAS_NEXT; i++) {
        outcome = steps[i](tx);
    }
    return outcome;
}

/* The client of the hint is looked for in the configuration only: "gone" would be in the database.
 */
START_TEST(request_cases)
{
    const char *hint = make_hint(requests[_i].hint);
    oas_tx_t *tx = make_tx(requests[_i].session);

    tx->keys = keys;
    fake_params(tx, requests[_i].params);
    if (requests[_i].hint != NO_HINT) {
        oas_params_add(tx->params, "id_token_hint", hint);
    }
    ck_assert_int_eq(run_steps(tx), requests[_i].error == OAS_E_NONE ? OAS_NEXT : OAS_FAILED);
    ck_assert_int_eq(tx->error, requests[_i].error);
    if (requests[_i].error == OAS_E_NONE) {
        ck_assert_int_eq(oas_logout_confirmed(tx), requests[_i].confirmed);
        ck_assert_int_eq(tx->ending->return_to != NULL, requests[_i].returns);
    }
}
END_TEST

/* A client with pairwise subjects knows the session by another sid than all others. */
START_TEST(sid_of_a_sector)
{
    static const unsigned char salt[OAS_SALT_LEN] = {1};
    oas_tx_t *tx = make_tx(1);
    oas_client_t *client = apr_hash_get(tx->issuer->clients, "app", APR_HASH_KEY_STRING);
    const char *told, *hint;

    tx->salt = salt;
    client->sector = "app.example";
    told = oas_sid_for(tx, client, "session");
    fake_params(tx, apr_pstrcat(pool, "client_id=app&logout_hint=", told, NULL));
    ck_assert_int_eq(run_steps(tx), OAS_NEXT);
    ck_assert(oas_logout_confirmed(tx));
    fake_params(tx, "client_id=app&logout_hint=session");
    ck_assert_int_eq(run_steps(tx), OAS_NEXT);
    ck_assert(!oas_logout_confirmed(tx));

    hint = make_hint(GOOD); /* whose sid is that of all others */
    tx->keys = keys;
    fake_params(tx, "client_id=app");
    oas_params_add(tx->params, "id_token_hint", hint);
    ck_assert_int_eq(run_steps(tx), OAS_NEXT);
    ck_assert_ptr_nonnull(tx->ending->hint);
    ck_assert(!oas_logout_confirmed(tx));
    tx->ending->hint = json_pack("{ss}", "sid", told);
    ck_assert(oas_logout_confirmed(tx));
    json_decref((json_t *)tx->ending->hint);
}
END_TEST

static const struct {
    const char *params;
    int confirmed;
} answers[] = {{"confirm=yes", 1}, {"confirm=no", 0}, {"", 0}, {"confirm=YES", 0}, {"confirm=", 0}};

START_TEST(answer_cases)
{
    oas_tx_t *tx = make_tx(1);

    fake_params(tx, answers[_i].params);
    run_steps(tx);
    tx->form_step = OAS_FORM_CONFIRM;
    ck_assert_int_eq(oas_logout_confirmed(tx), answers[_i].confirmed);
}
END_TEST

static const struct {
    const char *params, *return_to;
    oas_error_id_t error;
} returns[] = {
    {"client_id=app&returnTo=https%3A%2F%2Fapp.example%2Fsecond", "https://app.example/second",
     OAS_E_NONE},
    {"client_id=app", "https://app.example/out", OAS_E_NONE},
    {"returnTo=https%3A%2F%2Fapp.example%2Fout", "https://app.example/out", OAS_E_NONE},
    {"", NULL, OAS_E_NONE},
    {"id_token_hint=x&client_id=app", "https://app.example/out", OAS_E_NONE},
    {"client_id=app&returnTo=https%3A%2F%2Fapp.example%2F", NULL, OAS_E_LOGOUT_RETURN},
    {"returnTo=https%3A%2F%2Fevil.example%2F", NULL, OAS_E_LOGOUT_RETURN},
    {"returnTo=https%3A%2F%2Fapp.example%2Fout%3Fa", NULL, OAS_E_LOGOUT_RETURN},
};

START_TEST(return_cases)
{
    oas_tx_t *tx = make_tx(1);
    case_t test = {returns[_i].params, returns[_i].error};

    tx->endpoint = OAS_EP_V2LOGOUT;
    fake_params(tx, test.params);
    oas_load_logout_hint(tx);
    ck_assert_int_eq(oas_load_logout_client(tx), OAS_NEXT);
    run_case(tx, oas_check_return_to, &test);
    ck_assert_int_eq(tx->ending->return_to != NULL, returns[_i].return_to != NULL);
    if (returns[_i].return_to != NULL) {
        ck_assert_str_eq(tx->ending->return_to, returns[_i].return_to);
    }
}
END_TEST

void add_logout_tests(Suite *suite)
{
    TCase *tcase = unit_case(suite, "logout");

    LOOP(tcase, request_cases, requests);
    LOOP(tcase, answer_cases, answers);
    tcase_add_test(tcase, sid_of_a_sector);
    LOOP(tcase, return_cases, returns);
}
