/* SPDX-License-Identifier: Apache-2.0 */
/* Templates from text to nodes. */
#include "mustache.h"
#include "mustache_node.h"
#include <string.h>
#include <apr_strings.h>
#include <apr_tables.h>

#define DELIMITER_MAX 8

typedef struct {
    apr_pool_t *pool;
    const char *text;
    apr_size_t len, pos;
    apr_size_t counted; /**< line breaks before here are in `line` */
    int line;
    char open[DELIMITER_MAX + 1], close[DELIMITER_MAX + 1];
    apr_array_header_t *nodes;
    int sections[OAS_MUSTACHE_MAX_DEPTH]; /**< indices of the sections that are open */
    int depth;
    const char *why;
} compiler_t;

typedef struct {
    char sigil;            /**< one of the table below, or 0: a value */
    apr_size_t start, end; /**< of the whole tag, delimiters included */
    const char *body;      /**< between sigil and closing delimiter, trimmed, NUL-terminated */
    const char *indent;    /**< alone on its line: the white space before it; else NULL */
    apr_size_t line_from, line_to; /**< alone on its line: the line with its break */
} tag_t;

typedef apr_status_t (*handler_t)(compiler_t *c, const tag_t *tag);

typedef struct {
    char sigil;
    int standalone; /**< a line that holds only this tag leaves no trace */
    handler_t handle;
} tag_kind_t;

static apr_status_t complain(compiler_t *c, apr_status_t status, const char *what, const char *name)
{
    c->why = apr_psprintf(c->pool, "%d: %s%s%s%s", c->line, what, name ? " \"" : "",
                          name ? name : "", name ? "\"" : "");
    return status;
}

static int is_space(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

/* Offset of `needle` at or behind `from`; c->len when there is none. */
static apr_size_t find(const compiler_t *c, apr_size_t from, const char *needle)
{
    apr_size_t n = strlen(needle);
    while (from < c->len) {
        const char *hit = memchr(c->text + from, needle[0], c->len - from);
        if (!hit) {
            return c->len;
        }
        from = (apr_size_t)(hit - c->text);
        if (c->len - from >= n && memcmp(hit, needle, n) == 0) {
            return from;
        }
        from++;
    }
    return c->len;
}

static void count_lines(compiler_t *c, apr_size_t to)
{
    for (; c->counted < to; c->counted++) {
        c->line += c->text[c->counted] == '\n';
    }
}

static int at_line_start(const compiler_t *c, apr_size_t at)
{
    return at == 0 || c->text[at - 1] == '\n';
}

static oas_node_t *add_node(compiler_t *c, oas_node_type_t type)
{
    oas_node_t *node = apr_array_push(c->nodes);
    memset(node, 0, sizeof(*node));
    node->type = type;
    node->line = c->line;
    return node;
}

static void add_text(compiler_t *c, apr_size_t from, apr_size_t to)
{
    oas_node_t *node = add_node(c, OAS_NODE_TEXT);
    node->text = to > from ? apr_pmemdup(c->pool, c->text + from, to - from) : "";
    node->len = to - from;
    node->line_start = at_line_start(c, from);
}

/* Splits "a.b" into its names; "." has none. */
static apr_status_t split_name(compiler_t *c, const char *name, oas_node_t *node)
{
    apr_array_header_t *path = apr_array_make(c->pool, 2, sizeof(const char *));
    const char *from = name, *dot;
    if (strcmp(name, ".") == 0) {
        return APR_SUCCESS;
    }
    do {
        dot = strchr(from, '.');
        apr_size_t n = dot ? (apr_size_t)(dot - from) : strlen(from);
        if (n == 0) {
            return complain(c, APR_EINVAL, "malformed name", name);
        }
        APR_ARRAY_PUSH(path, const char *) = apr_pstrmemdup(c->pool, from, n);
        from = dot ? dot + 1 : NULL;
    } while (dot);
    node->path = (const char **)path->elts;
    node->path_len = path->nelts;
    return APR_SUCCESS;
}

static apr_status_t add_named(compiler_t *c, oas_node_type_t type, const char *name)
{
    if (!*name || strpbrk(name, " \t\r\n") || strchr("#^/>!&={", *name)) {
        return complain(c, APR_EINVAL, *name ? "malformed name" : "a tag without a name",
                        *name ? name : NULL);
    }
    oas_node_t *node = add_node(c, type);
    node->text = name;
    node->len = strlen(name);
    return type == OAS_NODE_PARTIAL ? APR_SUCCESS : split_name(c, name, node);
}

static apr_status_t handle_value(compiler_t *c, const tag_t *tag)
{
    return add_named(c, OAS_NODE_VALUE, tag->body);
}

static apr_status_t handle_raw(compiler_t *c, const tag_t *tag)
{
    return add_named(c, OAS_NODE_RAW, tag->body);
}

static apr_status_t handle_comment(compiler_t *c, const tag_t *tag)
{
    return APR_SUCCESS;
}

static apr_status_t handle_partial(compiler_t *c, const tag_t *tag)
{
    apr_status_t status = add_named(c, OAS_NODE_PARTIAL, tag->body);
    if (status == APR_SUCCESS) {
        APR_ARRAY_IDX(c->nodes, c->nodes->nelts - 1, oas_node_t).indent = tag->indent;
    }
    return status;
}

static apr_status_t handle_section(compiler_t *c, const tag_t *tag)
{
    if (c->depth == OAS_MUSTACHE_MAX_DEPTH) {
        return complain(c, APR_ENOSPC, "sections are nested too deeply at", tag->body);
    }
    c->sections[c->depth++] = c->nodes->nelts;
    return add_named(c, tag->sigil == '#' ? OAS_NODE_SECTION : OAS_NODE_INVERTED, tag->body);
}

static apr_status_t handle_close(compiler_t *c, const tag_t *tag)
{
    oas_node_t *section;
    if (c->depth == 0) {
        return complain(c, APR_EINVAL, "the end of a section that was not begun:", tag->body);
    }
    section = &APR_ARRAY_IDX(c->nodes, c->sections[--c->depth], oas_node_t);
    if (strcmp(section->text, tag->body) != 0) {
        return complain(c, APR_EINVAL,
                        apr_psprintf(c->pool, "section \"%s\" of line %d is ended by",
                                     section->text, section->line),
                        tag->body);
    }
    section->end = c->nodes->nelts;
    return APR_SUCCESS;
}

static apr_status_t handle_delimiters(compiler_t *c, const tag_t *tag)
{
    apr_size_t first = strcspn(tag->body, " \t\r\n");
    const char *second = tag->body + first + strspn(tag->body + first, " \t\r\n");
    apr_size_t n = strlen(second);
    if (first == 0 || first > DELIMITER_MAX || n == 0 || n > DELIMITER_MAX ||
        strpbrk(second, " \t\r\n") || strchr(tag->body, '=')) {
        return complain(c, APR_EINVAL, "malformed delimiters", tag->body);
    }
    apr_cpystrn(c->open, tag->body, first + 1);
    apr_cpystrn(c->close, second, n + 1);
    return APR_SUCCESS;
}

static const tag_kind_t kinds[] = {
    {0, 0, handle_value}, /* otherwise */
    {'&', 0, handle_raw},     {'{', 0, handle_raw},        {'!', 1, handle_comment},
    {'>', 1, handle_partial}, {'#', 1, handle_section},    {'^', 1, handle_section},
    {'/', 1, handle_close},   {'=', 1, handle_delimiters},
};

static const tag_kind_t *kind_of(char sigil)
{
    for (apr_size_t i = 1; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].sigil == sigil) {
            return &kinds[i];
        }
    }
    return &kinds[0];
}

static const char *trimmed(compiler_t *c, apr_size_t from, apr_size_t to)
{
    while (from < to && is_space(c->text[from])) {
        from++;
    }
    while (to > from && is_space(c->text[to - 1])) {
        to--;
    }
    return apr_pstrmemdup(c->pool, c->text + from, to - from);
}

/* Notes whether the tag has its line to itself. */
static void find_line(compiler_t *c, tag_t *tag)
{
    apr_size_t from = tag->start, to = tag->end;
    while (!at_line_start(c, from) && (c->text[from - 1] == ' ' || c->text[from - 1] == '\t')) {
        from--;
    }
    while (to < c->len && (c->text[to] == ' ' || c->text[to] == '\t')) {
        to++;
    }
    if (to < c->len && c->text[to] == '\r') {
        to++;
    }
    if (!at_line_start(c, from) || (to < c->len && c->text[to] != '\n')) {
        return;
    }
    tag->line_from = from;
    tag->line_to = to < c->len ? to + 1 : to;
    tag->indent = apr_pstrmemdup(c->pool, c->text + from, tag->start - from);
}

/* Reads the tag that begins at `start`. */
static apr_status_t read_tag(compiler_t *c, apr_size_t start, const tag_kind_t **kind, tag_t *tag)
{
    apr_size_t body = start + strlen(c->open), stop;
    char closing[DELIMITER_MAX + 2] = "";
    memset(tag, 0, sizeof(*tag));
    tag->start = start;
    *kind = kind_of(body < c->len ? c->text[body] : 0);
    tag->sigil = (*kind)->sigil;
    if (tag->sigil == '{' || tag->sigil == '=') {
        closing[0] = tag->sigil == '{' ? '}' : '=';
    }
    apr_cpystrn(closing + strlen(closing), c->close, sizeof(c->close));
    body += tag->sigil != 0;
    stop = find(c, body, closing);
    if (stop == c->len) {
        return complain(c, APR_EINVAL, "a tag is not closed by", closing);
    }
    if (tag->sigil != '!' && memchr(c->text + body, '\0', stop - body)) {
        return complain(c, APR_EINVAL, "a NUL byte in a tag", NULL);
    }
    tag->end = stop + strlen(closing);
    tag->body = tag->sigil == '!' ? "" : trimmed(c, body, stop);
    if ((*kind)->standalone) {
        find_line(c, tag);
    }
    return APR_SUCCESS;
}

/* The text before a tag. A tag that begins a line gets an empty text in front, to carry the
 * indentation of a partial. */
static void add_text_before(compiler_t *c, const tag_t *tag)
{
    apr_size_t to = tag->indent ? tag->line_from : tag->start;
    if (to > c->pos) {
        add_text(c, c->pos, to);
    }
    if (!tag->indent && at_line_start(c, tag->start)) {
        add_text(c, tag->start, tag->start);
    }
}

static apr_status_t compile(compiler_t *c)
{
    while (c->pos < c->len) {
        apr_size_t start = find(c, c->pos, c->open);
        const tag_kind_t *kind;
        tag_t tag;
        apr_status_t status;
        if (start == c->len) {
            add_text(c, c->pos, c->len);
            break;
        }
        count_lines(c, start);
        status = read_tag(c, start, &kind, &tag);
        if (status != APR_SUCCESS) {
            return status;
        }
        add_text_before(c, &tag);
        status = kind->handle(c, &tag);
        if (status != APR_SUCCESS) {
            return status;
        }
        c->pos = tag.indent ? tag.line_to : tag.end;
    }
    if (c->depth > 0) {
        const oas_node_t *open = &APR_ARRAY_IDX(c->nodes, c->sections[c->depth - 1], oas_node_t);
        c->line = open->line;
        return complain(c, APR_EINVAL, "a section is not ended:", open->text);
    }
    return APR_SUCCESS;
}

static oas_mustache_t *finish(const compiler_t *c)
{
    oas_mustache_t *template = apr_palloc(c->pool, sizeof(*template));
    template->nodes = (const oas_node_t *)c->nodes->elts;
    template->count = c->nodes->nelts;
    return template;
}

static void begin(compiler_t *c, const char *text, apr_size_t len, apr_pool_t *pool)
{
    memset(c, 0, sizeof(*c));
    c->pool = pool;
    c->text = text;
    c->len = len;
    c->line = 1;
    c->nodes = apr_array_make(pool, 1, sizeof(oas_node_t)); /* most texts are one */
    apr_cpystrn(c->open, "{{", sizeof(c->open));
    apr_cpystrn(c->close, "}}", sizeof(c->close));
}

apr_status_t oas_mustache_compile(oas_mustache_t **out, const char *text, apr_size_t len,
                                  const char **why, apr_pool_t *pool)
{
    compiler_t c;
    apr_status_t status;
    begin(&c, text, len, pool);
    status = len > OAS_MUSTACHE_MAX_TEMPLATE
                 ? complain(&c, APR_ENOSPC, "the template is longer than 256 kB", NULL)
                 : compile(&c);
    if (status != APR_SUCCESS) {
        *why = c.why;
        return status;
    }
    *out = finish(&c);
    return APR_SUCCESS;
}

oas_mustache_t *oas_mustache_literal(const char *text, apr_size_t len, apr_pool_t *pool)
{
    compiler_t c;
    begin(&c, text, len, pool);
    if (len > 0) {
        add_text(&c, 0, len);
    }
    return finish(&c);
}

apr_status_t oas_mustache_check_partials(const oas_mustache_t *template,
                                         oas_mustache_partial_t partial, void *baton,
                                         const char **why, apr_pool_t *pool)
{
    for (int i = 0; i < template->count; i++) {
        const oas_node_t *node = &template->nodes[i];
        if (node->type == OAS_NODE_PARTIAL && !partial(baton, node->text)) {
            *why = apr_psprintf(pool, "%d: there is no partial \"%s\"", node->line, node->text);
            return APR_ENOENT;
        }
    }
    return APR_SUCCESS;
}
