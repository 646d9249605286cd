/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes docs/directives.md from the table that the module itself is made of
 * (lib/httpd/directives.def). `make docs` runs it; test/guard/directives fails when the page is not
 * what it writes.
 */
#include <stdio.h>
#include "../lib/base/model.h"
#include "../lib/endpoint/endpoint.h"

typedef struct {
    const char *name; /* "<OAuth2AS..." opens a section */
    int issuer, resource, client;
    const char *args, *preset, *absent, *help;
} row_t;

#define OAS_ISSUER(member)   1
#define OAS_RESOURCE(member) 1
#define OAS_CLIENT(member)   1
#define OAS_NOT              0

static const row_t rows[] = {
#define OAS_DIRECTIVE(id, name, kind, issuer, resource, client, min, max, args, preset, absent,    \
                      help)                                                                        \
    {name, issuer, resource, client, args, preset, absent, help},
#define OAS_SECTION(id, name, open, args, help) {name, 1, 0, 0, args, NULL, NULL, help},
#include "../lib/httpd/directives.def"
#undef OAS_DIRECTIVE
#undef OAS_SECTION
};

static const char intro[] =
    "<!-- SPDX-License-Identifier: Apache-2.0 -->\n"
    "<!-- Made by `make docs` from lib/httpd/directives.def; edit that instead. -->\n"
    "# Directives\n\n"
    "All directives stand in the server configuration: in a `<VirtualHost>` or outside, or in one "
    "of the\n"
    "sections `<OAuth2ASResource>` and `<OAuth2ASClient>`. What is given outside is inherited by "
    "each virtual\n"
    "host, which can replace it: a section as a whole, by its name. `apachectl configtest` finds "
    "mistakes and\n"
    "names file and line.\n\n"
    "Durations are written `500ms`, `30s`, `5min`, `12h`, `30d`. SOURCE is `file:PATH`, `env:NAME` "
    "or\n"
    "`exec:PROGRAM`; files with secrets may be readable by their owner only. EXPR is an Apache "
    "expression;\n"
    "put it in quotes. Relative paths begin at ServerRoot.\n\n"
    "| directive | default | where |\n"
    "| --- | --- | --- |\n";

static const char *end_of(const row_t *row)
{
    return row->name[0] == '<' ? ">" : "";
}

static const char *default_of(const row_t *row)
{
    return row->preset != NULL ? row->preset : row->absent != NULL ? row->absent : "";
}

static void print_places(const row_t *row)
{
    const char *between = "";

    if (row->issuer) {
        printf("virtual host");
        between = ", ";
    }
    if (row->resource) {
        printf("%s`<OAuth2ASResource>`", between);
        between = ", ";
    }
    if (row->client) {
        printf("%s`<OAuth2ASClient>`", between);
    }
}

/* A table cell: '|' would end it. */
static void print_cell(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|') {
            putchar('\\');
        }
        putchar(*text);
    }
}

static void print_line(const row_t *row)
{
    printf("| `");
    print_cell(row->name);
    putchar(' ');
    print_cell(row->args);
    printf("%s` | ", end_of(row));
    print_cell(default_of(row));
    printf(" | ");
    print_places(row);
    printf(" |\n");
}

static void print_entry(const row_t *row)
{
    printf("\n## %s\n\n`%s %s%s`\n\n%s\n\n", row->name + (row->name[0] == '<'), row->name,
           row->args, end_of(row), row->help);
    if (*default_of(row) != '\0') {
        printf("Default: %s%s%s.  \n", row->preset != NULL ? "`" : "", default_of(row),
               row->preset != NULL ? "`" : "");
    }
    printf("Where: ");
    print_places(row);
    printf(".\n");
}

static void print_endpoints(void)
{
    int id;

    printf("\n## Endpoints\n\nThe names that `OAuth2ASEndpoint` knows, with their paths below the "
           "issuer's.\n\n| name | path |\n| --- | --- |\n");
    for (id = 0; id < OAS_EP_COUNT; id++) {
        printf("| %s | `%s`%s |\n", oas_endpoint_name(id), oas_endpoint_default_path(id),
               id == OAS_EP_METRICS ? " when it is given that path; else it is absent" : "");
    }
}

static void print_names(const char *directive, const oas_name_bit_t *table)
{
    printf("| %s |", directive);
    for (; table->name != NULL; table++) {
        printf(" `%s`", table->name);
    }
    printf(" |\n");
}

static void print_values(void)
{
    printf("\n## Values\n\n| directive | values |\n| --- | --- |\n");
    print_names("OAuth2ASClientAuth", oas_auth_method_names);
    print_names("OAuth2ASGrantTypes", oas_grant_type_names);
    print_names("OAuth2ASResponseTypes", oas_response_type_names);
}

int main(void)
{
    size_t i;

    fputs(intro, stdout);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_line(&rows[i]);
    }
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_entry(&rows[i]);
    }
    print_values();
    print_endpoints();
    return ferror(stdout) || fclose(stdout) != 0;
}
