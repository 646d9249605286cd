/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator changes is in the audit log too, in the form of httpd's lines. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <apr_strings.h>
#include "../lib/base/audit.h"
#include "../lib/base/json.h"
#include "../lib/store/schema.h"

/* As httpd makes it: users' names are for the administrators. */
#define FILE_MODE 0640

int cli_audit_open(cli_t *cli)
{
    char why[120];

    if (!cli->audit_log || cli->only_reads)
        return CLI_DONE;
    cli->audit_fd = open(cli->audit_log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, FILE_MODE);
    return cli->audit_fd >= 0
               ? CLI_DONE
               : cli_fail(CLI_FAILED, "cannot open %s: %s; nothing was changed", cli->audit_log,
                          apr_strerror(APR_FROM_OS_ERROR(errno), why, sizeof(why)));
}

/* Who sits at the keyboard, as far as the system knows: behind sudo, who called it. */
static const char *administrator(apr_pool_t *pool)
{
    const char *caller = getuid() == 0 ? getenv("SUDO_USER") : NULL;
    const struct passwd *entry = caller && *caller ? NULL : getpwuid(getuid());

    if (entry)
        return apr_pstrdup(pool, entry->pw_name);
    return caller && *caller ? caller : apr_psprintf(pool, "uid %ld", (long)getuid());
}

/* One write, which the kernel appends whole. */
static void write_line(oas_tx_t *tx, const char *line)
{
    cli_t *cli = tx->host_baton;
    const char *text = apr_pstrcat(tx->pool, line, "\n", NULL);
    ssize_t written;

    do {
        written = write(cli->audit_fd, text, strlen(text));
    } while (written < 0 && errno == EINTR);
    cli->audited = written == (ssize_t)strlen(text);
    if (!cli->audited)
        cli_fail(0, "the audit log cannot be written; this belongs there: %s", line);
}

int cli_audit(cli_t *cli, oas_db_t *db, const json_t *what)
{
    static const oas_host_t host = {.audit = write_line};
    oas_members_t *more = oas_members_create(cli->pool);
    const char *issuer = NULL;
    oas_issuer_t owner = {.url = NULL};
    oas_tx_t tx = {.pool = cli->pool, .issuer = &owner, .host = &host, .host_baton = cli};
    int version;

    oas_schema_status(db, &version, &issuer, cli->pool);
    owner.url = issuer;
    oas_members_string(more, "action", apr_pstrcat(cli->pool, cli->area, " ", cli->argv[0], NULL));
    oas_members_string(more, "admin", administrator(cli->pool));
    if (what)
        oas_members_update(more, what);
    cli->audited = 0;
    oas_audit(&tx, OAS_AUDIT_ADMIN, NULL, more);
    return cli->audited ? CLI_DONE : CLI_UNLOGGED;
}

int cli_audit_one(cli_t *cli, oas_db_t *db, const char *member, const char *value)
{
    json_t *what = oas_json_object(cli->pool);

    oas_json_set(what, member, value);
    return cli_audit(cli, db, what);
}

int cli_ended(cli_t *cli, oas_db_t *db, apr_status_t rv, apr_int64_t ended, json_t *what)
{
    int logged = CLI_DONE;

    if (ended > 0 || rv == APR_SUCCESS) {
        printf("%" APR_INT64_T_FMT " ended\n", ended);
        json_object_set_new(what, "count", json_integer(ended));
        logged = cli_audit(cli, db, what);
    }
    return rv == APR_SUCCESS ? logged : cli_store_failed(rv, "such name");
}
