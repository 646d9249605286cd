/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file output.h
 * What list, show and status verbs print: a table for people, or JSON for programs
 * (--output table|json). A verb builds JSON either way; the table shows some of its members.
 */
#ifndef OAS_CLI_OUTPUT_H
#define OAS_CLI_OUTPUT_H

#include <jansson.h>
#include "cli.h"

/** The option --output for the options of a verb that prints with the functions below. */
#define CLI_OPTION_OUTPUT(cli)                                                                     \
    {                                                                                              \
        .name = "output", .each = cli_take_output, .baton = (cli)                                  \
    }

/** cli_option_t.each of --output; the baton is the cli_t. */
int cli_take_output(void *baton, const char *value);

/** One column of a table, or one line of a single object. */
typedef struct {
    const char *member; /**< of the JSON object */
    const char *title;  /**< as people read it: "LAST USED" */
} cli_column_t;

/**
 * Prints an array of objects: as it is in JSON, else a line of titles and one line for each; no
 * line at all when it is empty. In a table a string is shown without what a terminal would carry
 * out, true and false as yes and no, null and what is absent as -, an array as its words, any other
 * value as JSON.
 * @param rows remains the caller's
 * @param columns ends with a NULL member
 * @return CLI_DONE
 */
int cli_print_list(const cli_t *cli, const json_t *rows, const cli_column_t *columns);

/** The same for one object: a line with title and value for each column whose member is there. */
int cli_print_object(const cli_t *cli, const json_t *object, const cli_column_t *columns);

/** The string of a point in time, in UTC ("2026-01-31T12:00:00Z"); null for 0. */
json_t *cli_json_time(apr_int64_t seconds);

#endif
