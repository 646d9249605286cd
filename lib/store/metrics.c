/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include "../base/metrics.h"
#include "statements.h"
#include "trouble.h"

static const char *const troubles[OAS_TROUBLE_COUNT] = {
    [OAS_TROUBLE_GATE] = "gate",
    [OAS_TROUBLE_BORROW] = "unreachable",
    [OAS_TROUBLE_DRIVER] = "driver",
    [OAS_TROUBLE_RESET] = "reconnect_failed",
    [OAS_TROUBLE_LOST] = "connection_lost",
    [OAS_TROUBLE_DEADLINE] = "deadline",
    [OAS_TROUBLE_CANCELLED] = "cancelled",
    [OAS_TROUBLE_LOCKED] = "locked",
    [OAS_TROUBLE_RESOURCES] = "out_of_resources",
    [OAS_TROUBLE_READ_ONLY] = "read_only",
    [OAS_TROUBLE_UNPREPARED] = "unprepared",
    [OAS_TROUBLE_LATE] = "late",
    [OAS_TROUBLE_CONFLICT] = "conflict",
    [OAS_TROUBLE_SCHEMA] = "schema",
    [OAS_TROUBLE_ISSUER] = "issuer",
    [OAS_TROUBLE_PRIVILEGE] = "privilege",
    [OAS_TROUBLE_UNREADABLE] = "unreadable",
    [OAS_TROUBLE_BROKEN] = "broken",
    [OAS_TROUBLE_OTHER] = "other",
};

static const char *statement(int id)
{
    return oas_statements[id].label + sizeof("oas_") - 1;
}

/* What is the answer to a question, and no trouble, has no name. */
static const char *trouble(int id)
{
    return troubles[id];
}

void oas_store_metrics_labels(void)
{
    oas_metrics_label(OAS_LABEL_STATEMENT, (oas_label_values_t){OAS_STMT_COUNT, statement});
    oas_metrics_label(OAS_LABEL_TROUBLE, (oas_label_values_t){OAS_TROUBLE_COUNT, trouble});
}
