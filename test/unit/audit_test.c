/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "../../lib/base/audit.h"
#include "../../lib/base/json.h"
#include "../../lib/base/trace.h"
#include "fake_tx.h"

static const char *written; /* the last line */

static void catch_line(oas_tx_t *tx, const char *line)
{
    written = line;
}

static const oas_host_t catching = {.audit = catch_line};

static oas_tx_t *audited_tx(void)
{
    oas_tx_t *tx = fake_tx(pool);

    written = NULL;
    tx->host = &catching;
    tx->endpoint = OAS_EP_TOKEN;
    tx->mask = OAS_GRANT_AUTHORIZATION_CODE;
    tx->request.address = "192.0.2.7";
    return tx;
}

static json_t *line_json(void)
{
    json_t *line;

    ck_assert_ptr_nonnull(written);
    ck_assert_int_eq(oas_json_parse(&line, written, strlen(written), 8192, pool), APR_SUCCESS);
    return line;
}

/* The string member `name` is `value`; NULL: there is no such member. */
static void assert_member(const json_t *line, const char *name, const char *value)
{
    const char *found = oas_json_string(line, name);

    if (value == NULL) {
        ck_assert_msg(json_object_get(line, name) == NULL, "%s is there", name);
        return;
    }
    ck_assert_msg(found != NULL && strcmp(found, value) == 0, "%s is %s, wanted %s", name,
                  found != NULL ? found : "absent", value);
}

static void fill_grant(oas_tx_t *tx)
{
    tx->grant = apr_pcalloc(pool, sizeof(*tx->grant));
    tx->grant->grant_id = "AAAAAAAAAAAAAAAAAAAAAA";
    tx->grant->sid = "BBBBBBBBBBBBBBBBBBBBBB";
    tx->grant->sub = "oauth2as|alice";
    tx->grant->resource = "https://api.example/";
    oas_words_parse(&tx->grant->scopes, "openid read:items", pool);
}

START_TEST(a_long_line_is_shortened)
{
    oas_tx_t *tx = audited_tx();
    const json_t *line;
    int i;

    fill_grant(tx);
    for (i = 0; i < 90; i++) {
        oas_words_add(tx->grant->scopes, apr_psprintf(pool, "%d-%050d", i, 0));
    }
    oas_audit(tx, OAS_AUDIT_TOKEN, NULL, NULL);
    ck_assert_uint_le(strlen(written), OAS_AUDIT_MAX);
    line = line_json();
    ck_assert(json_is_true(json_object_get(line, "shortened")));
    assert_member(line, "scope", NULL);
    assert_member(line, "sub", "oauth2as|alice");
    assert_member(line, "resource", "https://api.example/");
    assert_member(line, "grant_id", "AAAAAAAAAAAAAAAAAAAAAA");
}
END_TEST

START_TEST(members_of_a_grant)
{
    oas_tx_t *tx = audited_tx();
    const json_t *line;

    fill_grant(tx);
    oas_audit(tx, OAS_AUDIT_TOKEN, NULL, NULL);
    line = line_json();
    assert_member(line, "event", "token");
    assert_member(line, "issuer", "https://as.example/");
    assert_member(line, "client_id", "app");
    assert_member(line, "sub", "oauth2as|alice");
    assert_member(line, "grant_id", "AAAAAAAAAAAAAAAAAAAAAA");
    assert_member(line, "sid", "BBBBBBBBBBBBBBBBBBBBBB");
    assert_member(line, "resource", "https://api.example/");
    assert_member(line, "scope", "openid read:items");
    assert_member(line, "grant_type", "authorization_code");
    assert_member(line, "address", "192.0.2.7");
    assert_member(line, "ref", "test");
    assert_member(line, "reason", NULL);
}
END_TEST

START_TEST(members_of_a_session)
{
    oas_tx_t *tx = audited_tx();
    oas_session_t session = {.id = "CCCCCCCCCCCCCCCCCCCCCC", .sub = "file|bob"};
    const json_t *line;

    tx->endpoint = OAS_EP_AUTHORIZE;
    tx->session = &session;
    tx->resource = oas_resource_find(tx->issuer, "https://api.example/");
    oas_words_parse(&tx->scopes, "openid", pool);
    oas_audit(tx, OAS_AUDIT_CODE, NULL, NULL);
    line = line_json();
    assert_member(line, "event", "code");
    assert_member(line, "sub", "file|bob");
    assert_member(line, "sid", "CCCCCCCCCCCCCCCCCCCCCC");
    assert_member(line, "scope", "openid");
    assert_member(line, "resource", "https://api.example/");
    assert_member(line, "grant_id", NULL);
    assert_member(line, "grant_type", NULL);
}
END_TEST

START_TEST(nobody_known_yet)
{
    oas_tx_t *tx = audited_tx();
    const json_t *line;

    tx->client = NULL;
    tx->mask = ~0u; /* the grant type has not been read either */
    oas_audit(tx, OAS_AUDIT_REFUSE, "unknown client", NULL);
    line = line_json();
    assert_member(line, "reason", "unknown client");
    assert_member(line, "client_id", NULL);
    assert_member(line, "sub", NULL);
    assert_member(line, "grant_type", NULL);
}
END_TEST

START_TEST(further_members)
{
    oas_tx_t *tx = audited_tx();
    oas_members_t *more = oas_members_create(pool);
    const json_t *line;

    oas_members_integer(more, "generation", 7);
    oas_audit(tx, OAS_AUDIT_REFRESH_REUSE, "reuse", more);
    line = line_json();
    assert_member(line, "event", "refresh_token_reuse");
    ck_assert_int_eq(json_integer_value(json_object_get(line, "generation")), 7);
    ck_assert_int_eq(more->nelts, 1);
}
END_TEST

/* RFC 3339, UTC, milliseconds: as many digits as it takes to sort lines as text. */
START_TEST(time_is_utc)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    const char *time;
    size_t i;

    oas_audit(audited_tx(), OAS_AUDIT_LOGIN, NULL, NULL);
    time = oas_json_string(line_json(), "time");
    ck_assert_ptr_nonnull(time);
    ck_assert_uint_eq(strlen(time), strlen(form));
    for (i = 0; form[i] != '\0'; i++) {
        int digit = time[i] >= '0' && time[i] <= '9';

        ck_assert_msg(form[i] == 'd' ? digit : time[i] == form[i], "%s at %zu", time, i);
    }
}
END_TEST

/* Whatever secrets a request holds, and whatever happens to it, no line has them. */
START_TEST(no_secrets)
{
    static const char *const secret[] = {"s3cret-of-client", "p4ssword", "c0de-handle", "v3rifier",
                                         "t0ken-handle",     "b4sic",    "c00kie",      "j.w.t"};
    oas_tx_t *tx = audited_tx();
    oas_audit_event_t event;
    size_t i;

    fake_params(tx, "client_secret=s3cret-of-client&password=p4ssword&code=c0de-handle"
                    "&code_verifier=v3rifier&refresh_token=t0ken-handle&token=t0ken-handle"
                    "&client_assertion=j.w.t");
    tx->request.authorization = "Basic b4sic";
    tx->request.cookie = "oas=c00kie";
    tx->request.body = "password=p4ssword";
    tx->code = "c0de-handle";
    tx->refresh_token = "t0ken-handle";
    tx->session_handle = "c00kie";
    tx->answer = oas_members_create(pool);
    oas_members_string(tx->answer, "access_token", "j.w.t");
    fill_grant(tx);
    for (event = 0; event < OAS_AUDIT_COUNT; event++) {
        ck_assert_ptr_nonnull(oas_audit_name(event));
        oas_audit(tx, event, "a reason", NULL);
        for (i = 0; i < sizeof(secret) / sizeof(secret[0]); i++) {
            ck_assert_msg(strstr(written, secret[i]) == NULL, "%s in %s", secret[i], written);
        }
    }
}
END_TEST

/* One event is one line, whatever is in the names. */
START_TEST(one_line)
{
    oas_tx_t *tx = audited_tx();

    fill_grant(tx);
    tx->grant->sub = "file|a\nb\"c";
    oas_audit(tx, OAS_AUDIT_TOKEN, NULL, NULL);
    ck_assert_ptr_null(strpbrk(written, "\r\n"));
    assert_member(line_json(), "sub", "file|a\nb\"c");
}
END_TEST

START_TEST(without_a_host)
{
    oas_tx_t *tx = audited_tx();
    static const oas_host_t deaf = {.audit = NULL};

    tx->host = &deaf;
    oas_audit(tx, OAS_AUDIT_TOKEN, NULL, NULL);
    tx->host = NULL;
    oas_audit(tx, OAS_AUDIT_TOKEN, NULL, NULL);
    ck_assert_ptr_null(written);
}
END_TEST

/* W3C Trace Context section 3.2. */
#define TRACE  "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

static const struct {
    const char *header, *flags; /* flags NULL: not taken */
} traceparents[] = {
    {NULL, NULL},
    {"", NULL},
    {"00-" TRACE "-" PARENT "-01", "01"},
    {"00-" TRACE "-" PARENT "-00", "00"},
    {"00-" TRACE "-" PARENT "-03", "01"},
    {"00-" TRACE "-" PARENT "-fe", "00"},
    {"00-" TRACE "-" PARENT "-01-", NULL},
    {"00-" TRACE "-" PARENT "-011", NULL},
    {"00-" TRACE "-" PARENT "-0", NULL},
    {"00-" TRACE "-" PARENT "-0g", NULL},
    {"00-" TRACE "-" PARENT "-0A", NULL},
    {"00-" TRACE "-" PARENT, NULL},
    {"cc-" TRACE "-" PARENT "-01", "01"},
    {"cc-" TRACE "-" PARENT "-ff", "01"},
    {"cc-" TRACE "-" PARENT "-01-more", "01"},
    {"cc-" TRACE "-" PARENT "-00-01", "00"},
    {"cc-" TRACE "-" PARENT "-01.more", NULL},
    {"ff-" TRACE "-" PARENT "-01", NULL},
    {"0-" TRACE "-" PARENT "-01-", NULL},
    {"00_" TRACE "-" PARENT "-01", NULL},
    {"00-0AF7651916cd43dd8448eb211c80319c-" PARENT "-01", NULL},
    {"00-" TRACE "-B7AD6B7169203331-01", NULL},
    {"00-" TRACE "-b7ad6b716920333-001", NULL},
    {"00-" TRACE "-" PARENT "1-01", NULL},
    {"00-00000000000000000000000000000000-" PARENT "-01", NULL},
    {"00-" TRACE "-0000000000000000-01", NULL},
    {"cc-" TRACE "-0000000000000000-01", NULL},
    {"00-" TRACE "-" PARENT "-01, 00-" TRACE "-" PARENT "-01", NULL},
    {" 00-" TRACE "-" PARENT "-01", NULL},
};
#define TRACEPARENTS (sizeof(traceparents) / sizeof(traceparents[0]))

START_TEST(a_traceparent_is_taken_whole_or_not_at_all)
{
    const oas_trace_t *found = oas_trace_read(traceparents[_i].header, pool);
    const char *flags = traceparents[_i].flags;

    ck_assert_msg((found == NULL) == (flags == NULL), "%s", traceparents[_i].header);
    if (found != NULL) {
        ck_assert_str_eq(found->trace_id, TRACE);
        ck_assert_str_eq(found->span_id, PARENT);
        ck_assert_str_eq(found->trace_flags, flags);
    }
}
END_TEST

START_TEST(a_line_names_the_trace)
{
    static const char *const members[] = {"trace_id", "span_id", "trace_flags"};
    static const char *const values[] = {TRACE, PARENT, "01"};
    oas_tx_t *tx = audited_tx();
    int i;

    oas_audit(tx, OAS_AUDIT_TOKEN, NULL, NULL);
    for (i = 0; i < 3; i++) {
        assert_member(line_json(), members[i], NULL);
    }
    tx->request.trace = oas_trace_read("00-" TRACE "-" PARENT "-01", pool);
    oas_audit(tx, OAS_AUDIT_TOKEN, NULL, NULL);
    for (i = 0; i < 3; i++) {
        assert_member(line_json(), members[i], values[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("audit");
    TCase *tcase = unit_case(suite, "audit");

    tcase_add_test(tcase, members_of_a_grant);
    tcase_add_test(tcase, a_long_line_is_shortened);
    tcase_add_test(tcase, members_of_a_session);
    tcase_add_test(tcase, nobody_known_yet);
    tcase_add_test(tcase, further_members);
    tcase_add_test(tcase, time_is_utc);
    tcase_add_test(tcase, no_secrets);
    tcase_add_test(tcase, one_line);
    tcase_add_test(tcase, without_a_host);
    tcase_add_loop_test(tcase, a_traceparent_is_taken_whole_or_not_at_all, 0, TRACEPARENTS);
    tcase_add_test(tcase, a_line_names_the_trace);
    return unit_run(suite);
}
