/* SPDX-License-Identifier: Apache-2.0 */
#include "notes.h"

#include <string.h>
#include "../base/subject.h"
#include "../base/trace.h"
#include "request.h"

static const char *client(const oas_request_state_t *state)
{
    const oas_tx_t *tx = state->tx;

    return tx != NULL && tx->client != NULL ? tx->client->client_id : NULL;
}

static const char *grant(const oas_request_state_t *state)
{
    return state->tx != NULL ? oas_grant_type(state->tx) : NULL;
}

static const char *subject(const oas_request_state_t *state)
{
    const oas_tx_t *tx = state->tx;
    const char *sub = NULL;

    if (tx != NULL && tx->grant != NULL) {
        sub = tx->grant->sub;
    } else if (tx != NULL && tx->session != NULL) {
        sub = tx->session->sub;
    }
    return sub != NULL ? oas_subject_mark(tx->issuer, sub, tx->pool) : NULL;
}

/** The error as on the wire, also where a redirect or a page carries it. */
static const char *outcome(const oas_request_state_t *state)
{
    const oas_tx_t *tx = state->tx;

    if (tx == NULL) {
        return NULL;
    }
    if (tx->error != OAS_E_NONE) {
        return oas_error_row(tx->error)->code;
    }
    return tx->outcome != NULL ? tx->outcome : "ok";
}

static const char *ref(const oas_request_state_t *state)
{
    return state->id;
}

static const char *trace(const oas_request_state_t *state)
{
    return state->trace != NULL ? state->trace->trace_id : NULL;
}

static const char *span(const oas_request_state_t *state)
{
    return state->trace != NULL ? state->trace->span_id : NULL;
}

static const char *trace_flags(const oas_request_state_t *state)
{
    return state->trace != NULL ? state->trace->trace_flags : NULL;
}

#define PREFIX "oauth2as-"

static const struct {
    const char *name;
    const char *(*value)(const oas_request_state_t *state); /**< NULL: no note, "-" in the log */
} notes[] = {
    {PREFIX "client", client},   {PREFIX "grant-type", grant},
    {PREFIX "subject", subject}, {PREFIX "outcome", outcome},
    {PREFIX "ref", ref},         {PREFIX "trace", trace},
    {PREFIX "span", span},       {PREFIX "trace-flags", trace_flags},
};
#define NOTES (sizeof(notes) / sizeof(notes[0]))

static int wanted[NOTES];

/** A directive's text names a note: LogFormat, CustomLog, an expression. */
static void look_at(const char *text)
{
    apr_size_t i;

    if (text == NULL || strstr(text, PREFIX) == NULL) {
        return;
    }
    for (i = 0; i < NOTES; i++) {
        wanted[i] |= strstr(text, notes[i].name) != NULL;
    }
}

void oas_notes_find(void)
{
    const ap_directive_t *directive = ap_conftree;

    memset(wanted, 0, sizeof(wanted));
    while (directive != NULL) {
        look_at(directive->args);
        if (directive->first_child != NULL) {
            directive = directive->first_child;
            continue;
        }
        while (directive->next == NULL && directive->parent != NULL) {
            directive = directive->parent;
        }
        directive = directive->next;
    }
}

int oas_notes_leave(request_rec *r)
{
    const oas_request_state_t *state = ap_get_module_config(r->request_config, &oauth2as_module);
    apr_size_t i;

    if (state == NULL || (!state->claimed && !state->absent && state->tx == NULL)) {
        return DECLINED;
    }
    for (i = 0; i < NOTES; i++) {
        const char *value = wanted[i] ? notes[i].value(state) : NULL;

        if (value != NULL) {
            apr_table_setn(r->notes, notes[i].name, value);
        }
    }
    return DECLINED;
}
