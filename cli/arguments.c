/* SPDX-License-Identifier: Apache-2.0 */
/* What the words of the command line mean. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <apr_time.h>
#include "../lib/base/bytes.h"

const cli_option_t cli_no_options[] = {{.name = NULL}};

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

int cli_number(int *out, const char *text, int max, const char *option)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end || number < 1 || number > max)
        return cli_fail(CLI_USAGE, "--%s takes a number from 1 to %d", option, max);
    *out = (int)number;
    return CLI_DONE;
}

/* 1 when `text` begins as `form` has it: 0 is any digit, everything else itself. */
static int has_form(const char *text, const char *form)
{
    for (; *form; text++, form++) {
        if (*form == '0' ? *text < '0' || *text > '9' : *text != *form)
            return 0;
    }
    return 1;
}

/* The number of the first `len` characters, which are digits. */
static int digits(const char *text, int len)
{
    int number = 0;

    while (len-- > 0)
        number = 10 * number + (*text++ - '0');
    return number;
}

/* "Z" or "+01:00" in seconds east of UTC; 0 when it is neither. */
static int take_zone(int *out, const char *text)
{
    int sign = *text == '-' ? -1 : 1;

    *out = 0;
    if (!strcmp(text, "Z"))
        return 1;
    if ((*text != '+' && *text != '-') || !has_form(text + 1, "00:00") || strlen(text) != 6)
        return 0;
    *out = sign * (digits(text + 1, 2) * 60 + digits(text + 4, 2)) * 60;
    return 1;
}

/* The calendar has this day, and the day this time: apr_time_exp_gmt_get makes a day of March out
 * of the 31st of February. */
static int is_real(const apr_time_exp_t *t, apr_time_t time)
{
    apr_time_exp_t again;

    return apr_time_exp_tz(&again, time, t->tm_gmtoff) == APR_SUCCESS &&
           again.tm_year == t->tm_year && again.tm_mon == t->tm_mon &&
           again.tm_mday == t->tm_mday && again.tm_hour == t->tm_hour &&
           again.tm_min == t->tm_min && again.tm_sec == t->tm_sec;
}

int cli_time(apr_int64_t *out, const char *text)
{
    static const char form[] = "0000-00-00T00:00:00";
    apr_time_exp_t t = {.tm_mday = 0};
    apr_time_t time;

    if (!has_form(text, form) || !take_zone(&t.tm_gmtoff, text + strlen(form)))
        return cli_fail(CLI_USAGE, "%s is no time: 2026-01-31T12:00:00Z, or +01:00 for Z", text);
    t.tm_year = digits(text, 4) - 1900;
    t.tm_mon = digits(text + 5, 2) - 1;
    t.tm_mday = digits(text + 8, 2);
    t.tm_hour = digits(text + 11, 2);
    t.tm_min = digits(text + 14, 2);
    t.tm_sec = digits(text + 17, 2);
    if (t.tm_mon < 0 || t.tm_mon > 11 || apr_time_exp_gmt_get(&time, &t) != APR_SUCCESS ||
        !is_real(&t, time))
        return cli_fail(CLI_USAGE, "there is no %s", text);
    if (time > apr_time_now())
        return cli_fail(CLI_USAGE, "%s has not come yet", text);
    *out = apr_time_sec(time);
    return CLI_DONE;
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

int cli_parse_some(cli_t *cli, const cli_option_t *options, const char **operands, int least,
                   int most)
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
        } else if (found < most) {
            operands[found++] = text;
        } else {
            return cli_fail(CLI_USAGE, "one argument too many: %s", text);
        }
    }
    return found >= least ? cli_audit_open(cli) : cli_fail(CLI_USAGE, "an argument is missing");
}

int cli_parse(cli_t *cli, const cli_option_t *options, const char **operands, int count)
{
    return cli_parse_some(cli, options, operands, count, count);
}
