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
#include "../lib/base/bytes.h"
#include "../lib/base/tx.h"

typedef struct {
    const char *area, *verb, *arguments, *help;
    int (*run)(cli_t *cli);
} verb_t;

static const verb_t verbs[] = {
    {"schema", "apply", "--issuer URL [--dir DIR] [--grant-to ROLE]",
     "creates or updates the tables; ROLE is who httpd connects as", cli_schema_apply},
    {"schema", "status", "[--output table|json]", "prints version and issuer", cli_schema_status},
    {"secret", "generate", "FILE", "writes a new OAuth2ASSecret", cli_secret_generate},
    {"key", "generate", "ALG FILE", "writes a new signing key: RS256, PS256, ES256 or EdDSA",
     cli_key_generate},
    {"user", "add", "NAME [--claim NAME=VALUE]... [--email E [--verified]]",
     "adds a user of the provider oauth2as", cli_user_add},
    {"user", "passwd", "NAME", "sets a new password; ends the user's sessions and tokens",
     cli_user_passwd},
    {"user", "lock", "NAME", "lets a user in no more; ends the user's sessions and tokens",
     cli_user_lock},
    {"user", "unlock", "NAME", "lets a user in again", cli_user_unlock},
    {"user", "list", "[--output table|json]", "lists the users", cli_user_list},
    {"session", "list", "SUB [--output table|json]", "lists where somebody is signed in",
     cli_session_list},
    {"session", "end", "SID | --all SUB", "signs a browser out, or all of somebody's",
     cli_session_end},
    {"client", "hash-secret", "", "prints the sha256: form for OAuth2ASClientSecret",
     cli_client_hash_secret},
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

int cli_id(unsigned char id[OAS_ID_LEN], const char *text, const char *what, apr_pool_t *pool)
{
    oas_bytes_t bytes;

    if (oas_base64url_decode(pool, text, strlen(text), &bytes) != APR_SUCCESS ||
        bytes.len != OAS_ID_LEN)
        return cli_fail(CLI_USAGE, "%s is no %s: 22 characters, as in tokens and the audit log",
                        text, what);
    memcpy(id, bytes.data, OAS_ID_LEN);
    return CLI_DONE;
}

const cli_option_t cli_no_options[] = {{.name = NULL}};

static void print_usage(FILE *out)
{
    apr_size_t i;

    fputs("Usage: oauth2asctl [--dbd-params PARAMS] AREA VERB [ARGUMENTS]\n\n", out);
    for (i = 0; i < VERBS; i++)
        fprintf(out, "  %s %s %s\n      %s\n", verbs[i].area, verbs[i].verb, verbs[i].arguments,
                verbs[i].help);
    fputs("\nPARAMS are those of DBDParams (libpq), for a role that owns the schema; without the\n"
          "option the environment variable OAUTH2AS_DBDPARAMS is used. Passwords and secrets are\n"
          "asked for on the terminal, or read from the first line of standard input.\n"
          "Verbs that change the database write a line to the audit log: --audit-log FILE, or\n"
          "OAUTH2AS_AUDITLOG, else standard error.\n",
          out);
}

static int verb_usage(const verb_t *verb, FILE *out)
{
    fprintf(out, "Usage: oauth2asctl %s %s %s\n", verb->area, verb->verb, verb->arguments);
    return CLI_USAGE;
}

/* NULL: the option is none of these. */
static const cli_option_t *find_option(const cli_option_t *options, const char *name, size_t len)
{
    for (; options->name; options++) {
        if (strlen(options->name) == len && !strncmp(options->name, name, len))
            return options;
    }
    return NULL;
}

/* One "--name", "--name value" or "--name=value". Returns how many arguments it took, 0: usage. */
static int take_option(const cli_option_t *options, char *const *argv)
{
    const char *name = argv[0] + 2, *equals = strchr(name, '=');
    const cli_option_t *option =
        find_option(options, name, equals ? (size_t)(equals - name) : strlen(name));
    const char *value = equals ? equals + 1 : argv[1];

    if (!option) {
        cli_fail(0, "there is no option %s here", argv[0]);
        return 0;
    }
    if (option->is_flag ? equals != NULL : !value) {
        cli_fail(0, option->is_flag ? "--%s takes no value" : "--%s needs a value", option->name);
        return 0;
    }
    if (option->each && !option->each(option->baton, value))
        return 0;
    if (option->value)
        *option->value = option->is_flag ? "" : value;
    return option->is_flag || equals ? 1 : 2;
}

int cli_parse(cli_t *cli, const cli_option_t *options, const char **operands, int count)
{
    const cli_option_t common[] = {{.name = "dbd-params", .value = &cli->dbd_params},
                                   {.name = "audit-log", .value = &cli->audit_log},
                                   {.name = NULL}};
    int i, found = 0, only_operands = 0;

    for (i = 1; i < cli->argc; i++) {
        const char *text = cli->argv[i];
        const char *equals = strchr(text, '=');
        size_t len = equals ? (size_t)(equals - text) : strlen(text);

        if (!only_operands && !strcmp(text, "--")) {
            only_operands = 1;
        } else if (!only_operands && !strncmp(text, "--", 2)) {
            int taken = take_option(find_option(common, text + 2, len - 2) ? common : options,
                                    cli->argv + i);

            if (!taken)
                return CLI_USAGE;
            i += taken - 1;
        } else if (found < count) {
            operands[found++] = text;
        } else {
            return cli_fail(CLI_USAGE, "one argument too many: %s", text);
        }
    }
    return found == count ? cli_audit_open(cli) : cli_fail(CLI_USAGE, "an argument is missing");
}

static int run(cli_t *cli, int argc, char *const *argv)
{
    apr_size_t i;
    int code;

    for (i = 0; argc > 1 && i < VERBS; i++) {
        if (strcmp(verbs[i].area, argv[0]) || strcmp(verbs[i].verb, argv[1]))
            continue;
        if (argc == 3 && !strcmp(argv[2], "--help")) {
            verb_usage(&verbs[i], stdout);
            return CLI_DONE;
        }
        cli->area = argv[0];
        cli->argc = argc - 1;
        cli->argv = argv + 1;
        code = verbs[i].run(cli);
        return code == CLI_USAGE ? verb_usage(&verbs[i], stderr) : code;
    }
    print_usage(stderr);
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
        print_usage(stdout);
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
