/* SPDX-License-Identifier: Apache-2.0 */
#include "audit.h"

#include <string.h>
#include <apr_strings.h>
#include "json.h"
#include "metrics.h"
#include "trace.h"

static const char *const names[OAS_AUDIT_COUNT] = {
    [OAS_AUDIT_LOGIN] = "login",
    [OAS_AUDIT_LOGIN_FAILED] = "login_failed",
    [OAS_AUDIT_LOGIN_THROTTLED] = "login_throttled",
    [OAS_AUDIT_CONSENT] = "consent",
    [OAS_AUDIT_CONSENT_DENIED] = "consent_denied",
    [OAS_AUDIT_CODE] = "code",
    [OAS_AUDIT_TOKEN] = "token",
    [OAS_AUDIT_REFRESH] = "refresh",
    [OAS_AUDIT_REFRESH_REUSE] = "refresh_token_reuse",
    [OAS_AUDIT_CODE_REPLAY] = "code_replay",
    [OAS_AUDIT_REVOKE] = "revoke",
    [OAS_AUDIT_SESSION_ENDED] = "session_ended",
    [OAS_AUDIT_WITHDRAW] = "access_withdrawn",
    [OAS_AUDIT_PASSWORD_CHANGED] = "password_changed",
    [OAS_AUDIT_REFUSE] = "refuse",
    [OAS_AUDIT_LOGOUT] = "logout",
    [OAS_AUDIT_KEY] = "key",
    [OAS_AUDIT_BACKCHANNEL_LOGOUT] = "backchannel_logout",
    [OAS_AUDIT_ADMIN] = "admin",
};

const char *oas_audit_name(oas_audit_event_t event)
{
    return names[event];
}

static const char *time_text(apr_pool_t *pool)
{
    char *text = apr_pstrdup(pool, "yyyy-mm-ddThh:mm:ss.mmmZ");
    apr_time_exp_t t;

    apr_time_exp_gmt(&t, apr_time_now());
    oas_put_digits(text, 4, (apr_uint64_t)t.tm_year + 1900);
    oas_put_digits(text + 5, 2, (apr_uint64_t)t.tm_mon + 1);
    oas_put_digits(text + 8, 2, (apr_uint64_t)t.tm_mday);
    oas_put_digits(text + 11, 2, (apr_uint64_t)t.tm_hour);
    oas_put_digits(text + 14, 2, (apr_uint64_t)t.tm_min);
    oas_put_digits(text + 17, 2, (apr_uint64_t)t.tm_sec);
    oas_put_digits(text + 20, 3, (apr_uint64_t)t.tm_usec / 1000);
    return text;
}

static void add_who(const oas_tx_t *tx, oas_members_t *line)
{
    const oas_grant_t *grant = tx->grant;
    const oas_session_t *session = tx->session;

    if (grant != NULL) {
        oas_members_string(line, "sub", grant->sub);
        oas_members_string(line, "grant_id", grant->grant_id);
        oas_members_string(line, "sid", grant->sid);
        oas_members_string(line, "resource", grant->resource);
        if (grant->scopes != NULL) {
            oas_members_string(line, "scope", oas_words_join(grant->scopes, tx->pool));
        }
    } else if (session != NULL) {
        oas_members_string(line, "sub", session->sub);
        oas_members_string(line, "sid", session->id);
        oas_members_string(line, "resource", tx->resource != NULL ? tx->resource->uri : NULL);
        if (tx->scopes != NULL) {
            oas_members_string(line, "scope", oas_words_join(tx->scopes, tx->pool));
        }
    }
}

/* Long names and URLs go first, so that who and what stay. NULL: it cannot be written. */
static const char *bounded_text(const oas_tx_t *tx, oas_members_t *line)
{
    static const char *const dispensable[] = {"scope", "resource", "reason", "issuer", "sub"};
    const char *text = oas_members_text(line);
    apr_size_t i;

    for (i = 0; text != NULL && strlen(text) > OAS_AUDIT_MAX &&
                i < sizeof(dispensable) / sizeof(dispensable[0]);
         i++) {
        oas_members_remove(line, dispensable[i]);
        oas_members_boolean(line, "shortened", 1);
        text = oas_members_text(line);
    }
    return text != NULL && strlen(text) <= OAS_AUDIT_MAX ? text : NULL;
}

static void add_trace(const oas_trace_t *trace, oas_members_t *line)
{
    if (trace == NULL) {
        return;
    }
    oas_members_string(line, "trace_id", trace->trace_id);
    oas_members_string(line, "span_id", trace->span_id);
    oas_members_string(line, "trace_flags", trace->trace_flags);
}

void oas_audit(oas_tx_t *tx, oas_audit_event_t event, const char *reason, const oas_members_t *more)
{
    oas_members_t *line;
    const char *text;

    oas_count(OAS_M_EVENTS, (int)event, 0);
    if (tx->host == NULL || tx->host->audit == NULL) {
        return;
    }
    line = oas_members_create(tx->pool);
    oas_members_string(line, "time", time_text(tx->pool));
    oas_members_string(line, "event", names[event]);
    oas_members_string(line, "issuer", tx->issuer->url);
    oas_members_string(line, "client_id", tx->client != NULL ? tx->client->client_id : NULL);
    add_who(tx, line);
    oas_members_string(line, "grant_type", oas_grant_type(tx));
    oas_members_string(line, "address", tx->request.address);
    oas_members_string(line, "reason", reason);
    oas_members_string(line, "ref", tx->request_id);
    add_trace(tx->request.trace, line);
    oas_members_add(line, more);
    text = bounded_text(tx, line);
    if (text != NULL) {
        tx->host->audit(tx, text);
    }
}
