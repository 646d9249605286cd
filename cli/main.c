/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <config.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "../lib/base/tx.h"

typedef struct {
    const char *area, *verb, *arguments, *help;
    int (*run)(cli_t *cli);
    int only_reads; /* needs no audit log */
} verb_t;

enum { CHANGES, ONLY_READS };

static const verb_t verbs[] = {
    {"schema", "apply", "[--issuer URL] [--dir DIR] [--grant-to ROLE] [--partitions N]",
     "creates or updates the tables; ROLE is who httpd connects as", cli_schema_apply, CHANGES},
    {"schema", "status", "[--output table|json]", "prints version and issuer", cli_schema_status,
     ONLY_READS},
    {"secret", "generate", "FILE", "writes a new OAuth2ASSecret", cli_secret_generate, CHANGES},
    {"key", "generate", "ALG FILE | ALG --secret-file FILE [--new-secret] [--output table|json]",
     "a new signing key (RS256, PS256, ES256, EdDSA), in a file or in the keyring; --new-secret: "
     "no other key there is sealed with this secret yet",
     cli_key_generate, CHANGES},
    {"key", "import",
     "KEY-FILE --secret-file FILE [--new-secret] [--alg ALG] [--output table|json]",
     "puts a key that is in a file into the keyring", cli_key_import, CHANGES},
    {"key", "activate", "KID [--now]",
     "lets a key of the keyring sign; --now: though not all know it", cli_key_activate, CHANGES},
    {"key", "retire", "KID [--now]",
     "ends a key's time; --now: at once, with all tokens that it signed", cli_key_retire, CHANGES},
    {"key", "status", "[--secret-file FILE]... [--output table|json]",
     "what signs, what is next and from when, when a retired key goes; FILE: what it opens",
     cli_key_status, ONLY_READS},
    {"user", "add", "NAME [--claim NAME=VALUE]... [--email E [--verified]]",
     "adds a user of the provider oauth2as", cli_user_add, CHANGES},
    {"user", "passwd", "NAME", "sets a new password; ends the user's sessions and tokens",
     cli_user_passwd, CHANGES},
    {"user", "lock", "NAME", "lets a user in no more; ends the user's sessions and tokens",
     cli_user_lock, CHANGES},
    {"user", "unlock", "NAME", "lets a user in again", cli_user_unlock, CHANGES},
    {"user", "list", "[--output table|json]", "lists the users", cli_user_list, ONLY_READS},
    {"session", "list", "SUB [--output table|json]", "lists where somebody is signed in",
     cli_session_list, ONLY_READS},
    {"session", "end", "SID | --all SUB | --restored TIME",
     "signs a browser out, all of somebody's, or all that a restored backup has brought back",
     cli_session_end, CHANGES},
    {"grant", "list", "[--sub SUB] [--client ID] [--all] [--limit N] [--output table|json]",
     "lists what applications hold in somebody's name", cli_grant_list, ONLY_READS},
    {"grant", "tree", "GRANT_ID [--output table|json]",
     "shows a grant and each refresh token that there was", cli_grant_tree, ONLY_READS},
    {"grant", "revoke", "--grant ID | [--sub SUB] [--client ID] | --restored TIME",
     "ends grants; TIME: all that a restored backup has brought back", cli_grant_revoke, CHANGES},
    {"purge", "status", "[--output table|json]", "what has ended and is still to be deleted",
     cli_purge_status, ONLY_READS},
    {"client", "list", "[--after ID] [--limit N] [--output table|json]",
     "lists clients, those of a configuration too", cli_client_list, ONLY_READS},
    {"client", "show", "ID [--output table|json]", "shows a client", cli_client_show, ONLY_READS},
    {"client", "add", "FILE|- [--replace] [--output table|json]",
     "adds a client of the database, from JSON (RFC 7591), or replaces one", cli_client_add,
     CHANGES},
    {"client", "disable", "ID", "a client of the database counts for none", cli_client_disable,
     CHANGES},
    {"client", "enable", "ID", "and counts again", cli_client_enable, CHANGES},
    {"client", "secret", "ID [--read | --retire] [--output table|json]",
     "gives it a second secret; or ends the older one", cli_client_secret, CHANGES},
    {"client", "hash-secret", "", "prints the sha256: form for OAuth2ASClientSecret",
     cli_client_hash_secret, ONLY_READS},
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

int cli_fail(int code, const char *format, ...)
{
    va_list args;

    fputs("oauth2asctl: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return code;
}

int cli_store_failed(apr_status_t status, const char *what)
{
    if (status == APR_ENOENT)
        return cli_fail(CLI_FAILED, "there is no %s", what);
    if (status == APR_EEXIST)
        return cli_fail(CLI_FAILED, "there is a %s already", what);
    if (status == APR_EINVAL)
        return cli_fail(CLI_FAILED, "%s is not valid UTF-8", what);
    if (status == OAS_DB_UNAVAILABLE)
        return CLI_UNAVAILABLE; /* the log line has said why */
    return CLI_FAILED;
}

/* Of one area, or of all (NULL). */
static void print_usage(FILE *out, const char *area)
{
    apr_size_t i;

    fputs("Usage: oauth2asctl [--dbd-params PARAMS] [--audit-log FILE] AREA VERB [ARGUMENTS]\n"
          "       oauth2asctl [AREA [VERB]] --help | --version\n\n",
          out);
    for (i = 0; i < VERBS; i++) {
        if (area && strcmp(verbs[i].area, area))
            continue;
        fprintf(out, "  %s %s%s%s\n      %s\n", verbs[i].area, verbs[i].verb,
                *verbs[i].arguments ? " " : "", verbs[i].arguments, verbs[i].help);
    }
    fputs("\nPARAMS are those of DBDParams (libpq), for a role that owns the schema; without the\n"
          "option the environment variable OAUTH2AS_DBDPARAMS is used. Passwords and secrets are\n"
          "asked for on the terminal, or read from the first line of standard input.\n"
          "Verbs that change the database write a line to the audit log: --audit-log FILE, or\n"
          "OAUTH2AS_AUDITLOG, else standard error.\n",
          out);
}

static int verb_usage(const verb_t *verb, FILE *out)
{
    fprintf(out, "Usage: oauth2asctl %s %s%s%s\n", verb->area, verb->verb,
            *verb->arguments ? " " : "", verb->arguments);
    return CLI_USAGE;
}

static int is_area(const char *name)
{
    apr_size_t i = 0;

    while (i < VERBS && strcmp(verbs[i].area, name))
        i++;
    return i < VERBS;
}

static int run(cli_t *cli, int argc, char *const *argv)
{
    apr_size_t i;
    int code;

    if (argc == 2 && !strcmp(argv[1], "--help") && is_area(argv[0])) {
        print_usage(stdout, argv[0]);
        return CLI_DONE;
    }

    for (i = 0; argc > 1 && i < VERBS; i++) {
        if (strcmp(verbs[i].area, argv[0]) || strcmp(verbs[i].verb, argv[1]))
            continue;
        if (argc == 3 && !strcmp(argv[2], "--help")) {
            verb_usage(&verbs[i], stdout);
            return CLI_DONE;
        }
        cli->area = argv[0];
        cli->only_reads = verbs[i].only_reads;
        cli->argc = argc - 1;
        cli->argv = argv + 1;
        code = verbs[i].run(cli);
        return code == CLI_USAGE ? verb_usage(&verbs[i], stderr) : code;
    }
    print_usage(stderr, NULL);
    return CLI_USAGE;
}

int main(int argc, char **argv)
{
    cli_t cli = {.dbd_params = getenv("OAUTH2AS_DBDPARAMS"),
                 .audit_log = getenv("OAUTH2AS_AUDITLOG"),
                 .audit_fd = STDERR_FILENO};
    int at = 1, code;

    if (argc > 1 && !strcmp(argv[1], "--version")) {
        puts("oauth2asctl " PACKAGE_VERSION);
        return CLI_DONE;
    }
    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))) {
        print_usage(stdout, NULL);
        return CLI_DONE;
    }
    for (; at + 1 < argc; at += 2) {
        if (!strcmp(argv[at], "--dbd-params"))
            cli.dbd_params = argv[at + 1];
        else if (!strcmp(argv[at], "--audit-log"))
            cli.audit_log = argv[at + 1];
        else
            break;
    }
    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&cli.pool, NULL) != APR_SUCCESS)
        return cli_fail(CLI_FAILED, "out of memory");
    code = run(&cli, argc - at, argv + at);
    apr_pool_destroy(cli.pool);
    apr_terminate();
    if (fflush(stdout) != 0 && code == CLI_DONE)
        code = cli_fail(CLI_FAILED, "cannot write to standard output");
    return code;
}
