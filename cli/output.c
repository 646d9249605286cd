/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <stdio.h>
#include <string.h>
#include <unictype.h>
#include <unistr.h>
#include <uniwidth.h>
#include <apr_strings.h>
#include <apr_time.h>
#include "../lib/base/json.h"

#define GAP 2 /* spaces between columns */

int cli_take_output(void *baton, const char *value)
{
    cli_t *cli = baton;

    cli->json = !strcmp(value, "json");
    return cli->json || !strcmp(value, "table")
               ? 1
               : cli_fail(0, "--output takes table or json, not %s", value);
}

/* Names that strangers chose are for the terminal to show, not to carry out: control characters,
 * and those that turn the direction of a line, become question marks. */
static const char *harmless(const char *text, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, strlen(text) + 1), *p = out;
    const uint8_t *s = (const uint8_t *)text;
    apr_size_t left = strlen(text);

    while (left > 0) {
        ucs4_t c;
        int taken = u8_mbtouc(&c, s, left);

        if (c == 0xfffd || !uc_is_print(c) || uc_is_general_category(c, UC_FORMAT)) {
            *p++ = '?';
        } else {
            memcpy(p, s, (apr_size_t)taken);
            p += taken;
        }
        s += taken;
        left -= (apr_size_t)taken;
    }
    *p = '\0';
    return out;
}

static const char *words(const json_t *array, apr_pool_t *pool)
{
    const char *out = "";
    const json_t *word;
    size_t i;

    json_array_foreach(array, i, word)
    {
        const char *text =
            json_is_string(word) ? json_string_value(word) : oas_json_text(pool, word);

        out = apr_pstrcat(pool, out, i ? " " : "", text ? text : "", NULL);
    }
    return *out ? out : "-";
}

/* The text of one cell. */
static const char *cell(const json_t *value, apr_pool_t *pool)
{
    const char *text;

    if (!value || json_is_null(value))
        return "-";
    if (json_is_boolean(value))
        return json_is_true(value) ? "yes" : "no";
    if (json_is_integer(value))
        return apr_psprintf(pool, "%" APR_INT64_T_FMT, (apr_int64_t)json_integer_value(value));
    if (json_is_string(value))
        text = json_string_value(value);
    else
        text = json_is_array(value) ? words(value, pool) : oas_json_text(pool, value);
    return text && *text ? harmless(text, pool) : "-";
}

static int width(const char *text)
{
    return u8_strwidth((const uint8_t *)text, "UTF-8");
}

/* One cell, and the spaces up to the next column unless it is the last one. */
static void print_cell(const char *text, int wide, int last)
{
    printf("%s%*s", text, last ? 0 : wide - width(text) + GAP, "");
    if (last)
        putchar('\n');
}

static int count_columns(const cli_column_t *columns)
{
    int count = 0;

    while (columns[count].member)
        count++;
    return count;
}

static void print_table(apr_pool_t *pool, const json_t *rows, const cli_column_t *columns)
{
    int count = count_columns(columns), column;
    int *wide = apr_pcalloc(pool, (apr_size_t)count * sizeof(*wide));
    const char **cells =
        apr_palloc(pool, (json_array_size(rows) + 1) * (apr_size_t)count * sizeof(*cells));
    size_t row, all = json_array_size(rows) + 1;

    for (row = 0; row < all; row++) {
        for (column = 0; column < count; column++) {
            const json_t *object = row ? json_array_get(rows, row - 1) : NULL;
            const char *text = object ? cell(json_object_get(object, columns[column].member), pool)
                                      : columns[column].title;

            cells[row * (size_t)count + (size_t)column] = text;
            if (width(text) > wide[column])
                wide[column] = width(text);
        }
    }
    for (row = 0; row < all; row++) {
        for (column = 0; column < count; column++)
            print_cell(cells[row * (size_t)count + (size_t)column], wide[column],
                       column == count - 1);
    }
}

static int print_json(const json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    putchar('\n');
    return CLI_DONE;
}

int cli_print_list(const cli_t *cli, const json_t *rows, const cli_column_t *columns)
{
    if (cli->json)
        return print_json(rows);
    if (json_array_size(rows) > 0)
        print_table(cli->pool, rows, columns);
    return CLI_DONE;
}

int cli_print_object(const cli_t *cli, const json_t *object, const cli_column_t *columns)
{
    const cli_column_t *column;
    int wide = 0;

    if (cli->json)
        return print_json(object);
    for (column = columns; column->member; column++) {
        if (json_object_get(object, column->member) && width(column->title) > wide)
            wide = width(column->title);
    }
    for (column = columns; column->member; column++) {
        const json_t *value = json_object_get(object, column->member);

        if (value) {
            print_cell(column->title, wide, 0);
            puts(cell(value, cli->pool));
        }
    }
    return CLI_DONE;
}

json_t *cli_json_time(apr_int64_t seconds)
{
    char text[24];
    apr_size_t len;
    apr_time_exp_t t;

    if (!seconds)
        return json_null();
    apr_time_exp_gmt(&t, apr_time_from_sec(seconds));
    apr_strftime(text, &len, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &t);
    return json_string(text);
}
