/* SPDX-License-Identifier: Apache-2.0 */
/* Templates from nodes to output. */
#include "mustache.h"
#include "mustache_node.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>

#define FIRST_OUTPUT 16384
#define REAL_DIGITS  17 /* enough to write any double exactly (IEEE 754) */

typedef struct {
    apr_pool_t *pool;
    oas_mustache_partial_t partial;
    void *baton;
    const json_t *context[OAS_MUSTACHE_MAX_DEPTH + 3]; /**< two roots, then one for each depth */
    int contexts;
    int depth;
    int steps;
    char *out;
    apr_size_t len, size;
} renderer_t;

static apr_status_t render_range(renderer_t *r, const oas_mustache_t *template, int from, int to,
                                 const char *indent);

static apr_status_t put(renderer_t *r, const char *data, apr_size_t len)
{
    if (len > OAS_MUSTACHE_MAX_OUTPUT - r->len) {
        return APR_ENOSPC;
    }
    if (r->len + len >= r->size) {
        apr_size_t size = (r->len + len + 1) * 2;
        char *larger = apr_palloc(r->pool, size);
        memcpy(larger, r->out, r->len);
        r->out = larger;
        r->size = size;
    }
    memcpy(r->out + r->len, data, len);
    r->len += len;
    return APR_SUCCESS;
}

static const char *reference_of(char ch)
{
    switch (ch) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static apr_status_t put_escaped(renderer_t *r, const char *data, apr_size_t len)
{
    apr_status_t status = APR_SUCCESS;
    apr_size_t from = 0;
    for (apr_size_t i = 0; i < len && status == APR_SUCCESS; i++) {
        const char *reference = reference_of(data[i]);
        if (!reference) {
            continue;
        }
        status = put(r, data + from, i - from);
        if (status == APR_SUCCESS) {
            status = put(r, reference, strlen(reference));
        }
        from = i + 1;
    }
    return status == APR_SUCCESS ? put(r, data + from, len - from) : status;
}

/* Text, with the indentation of the partial it belongs to before each of its lines. */
static apr_status_t put_text(renderer_t *r, const oas_node_t *node, const char *indent)
{
    apr_size_t n = strlen(indent), from = 0;
    apr_status_t status = node->line_start ? put(r, indent, n) : APR_SUCCESS;
    while (n > 0 && status == APR_SUCCESS) {
        const char *end = memchr(node->text + from, '\n', node->len - from);
        apr_size_t to = end ? (apr_size_t)(end - node->text) + 1 : node->len;
        if (to == node->len) {
            break;
        }
        status = put(r, node->text + from, to - from);
        if (status == APR_SUCCESS) {
            status = put(r, indent, n);
        }
        from = to;
    }
    return status == APR_SUCCESS ? put(r, node->text + from, node->len - from) : status;
}

static const json_t *find_first(const renderer_t *r, const char *name)
{
    for (int i = r->contexts - 1; i >= 0; i--) {
        const json_t *value = json_object_get(r->context[i], name);
        if (value) {
            return value;
        }
    }
    return NULL;
}

/* The first name is looked for from the innermost context outwards, the others inside what it
 * gave. */
static const json_t *find(const renderer_t *r, const oas_node_t *node)
{
    const json_t *value;
    if (node->path_len == 0) {
        return r->context[r->contexts - 1];
    }
    value = find_first(r, node->path[0]);
    for (int i = 1; i < node->path_len && value; i++) {
        value = json_object_get(value, node->path[i]);
    }
    return value;
}

/* The fewest digits that give the same number back. */
static const char *real_text(double value, char *buffer, apr_size_t size)
{
    for (int digits = 1; digits <= REAL_DIGITS; digits++) {
        snprintf(buffer, size, "%.*g", digits, value);
        if (strtod(buffer, NULL) == value) {
            break;
        }
    }
    /* The locale may have its own decimal point. */
    for (char *p = buffer; *p; p++) {
        if (*p == ',') {
            *p = '.';
        }
    }
    return buffer;
}

static apr_status_t put_value(renderer_t *r, const json_t *value, int raw)
{
    char number[40];
    const char *text = "";
    apr_size_t len;
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_STRING:
        text = json_string_value(value);
        len = json_string_length(value);
        return raw ? put(r, text, len) : put_escaped(r, text, len);
    case JSON_INTEGER:
        snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        text = number;
        break;
    case JSON_REAL:
        text = real_text(json_real_value(value), number, sizeof(number));
        break;
    case JSON_TRUE:
        text = "true";
        break;
    case JSON_FALSE:
        text = "false";
        break;
    default:
        break;
    }
    return put(r, text, strlen(text));
}

static int is_true(const json_t *value)
{
    if (!value || json_is_null(value) || json_is_false(value)) {
        return 0;
    }
    if (json_is_array(value)) {
        return json_array_size(value) > 0;
    }
    return !json_is_string(value) || json_string_length(value) > 0;
}

/* The children of a section with `value` as their innermost context. */
static apr_status_t render_item(renderer_t *r, const oas_mustache_t *template, int section,
                                const json_t *value, const char *indent)
{
    apr_status_t status;
    r->context[r->contexts++] = value;
    status = render_range(r, template, section + 1, template->nodes[section].end, indent);
    r->contexts--;
    return status;
}

static apr_status_t render_section(renderer_t *r, const oas_mustache_t *template, int section,
                                   const char *indent)
{
    const oas_node_t *node = &template->nodes[section];
    const json_t *value = find(r, node);
    apr_status_t status = APR_SUCCESS;
    if (is_true(value) != (node->type == OAS_NODE_SECTION)) {
        return APR_SUCCESS;
    }
    if (node->type == OAS_NODE_INVERTED || json_is_true(value)) {
        return render_range(r, template, section + 1, node->end, indent);
    }
    if (!json_is_array(value)) {
        return render_item(r, template, section, value, indent);
    }
    for (size_t i = 0; i < json_array_size(value) && status == APR_SUCCESS; i++) {
        status = render_item(r, template, section, json_array_get(value, i), indent);
    }
    return status;
}

static apr_status_t render_partial(renderer_t *r, const oas_node_t *node, const char *indent)
{
    const oas_mustache_t *partial = r->partial ? r->partial(r->baton, node->text) : NULL;
    const char *inner = node->indent ? node->indent : "";
    if (!partial) {
        return APR_SUCCESS;
    }
    if (node->indent && *indent) {
        inner = apr_pstrcat(r->pool, indent, node->indent, NULL);
    }
    return render_range(r, partial, 0, partial->count, inner);
}

static apr_status_t render_node(renderer_t *r, const oas_mustache_t *template, int i,
                                const char *indent)
{
    const oas_node_t *node = &template->nodes[i];
    switch (node->type) {
    case OAS_NODE_TEXT:
        return put_text(r, node, indent);
    case OAS_NODE_VALUE:
    case OAS_NODE_RAW:
        return put_value(r, find(r, node), node->type == OAS_NODE_RAW);
    case OAS_NODE_SECTION:
    case OAS_NODE_INVERTED:
        return render_section(r, template, i, indent);
    case OAS_NODE_PARTIAL:
        return render_partial(r, node, indent);
    }
    return APR_EGENERAL;
}

static apr_status_t render_range(renderer_t *r, const oas_mustache_t *template, int from, int to,
                                 const char *indent)
{
    apr_status_t status = APR_SUCCESS;
    if (r->depth > OAS_MUSTACHE_MAX_DEPTH) {
        return APR_ENOSPC;
    }
    r->depth++;
    for (int i = from; i < to && status == APR_SUCCESS;) {
        const oas_node_t *node = &template->nodes[i];
        status =
            ++r->steps > OAS_MUSTACHE_MAX_STEPS ? APR_ENOSPC : render_node(r, template, i, indent);
        i = node->end ? node->end : i + 1;
    }
    r->depth--;
    return status;
}

static void begin(renderer_t *r, apr_pool_t *pool)
{
    memset(r, 0, sizeof(*r));
    r->pool = pool;
    r->size = FIRST_OUTPUT;
    r->out = apr_palloc(pool, r->size);
}

apr_status_t oas_mustache_render_with(const oas_mustache_t *template, const json_t *common,
                                      const json_t *data, oas_mustache_partial_t partial,
                                      void *baton, const char **out, apr_size_t *len,
                                      apr_pool_t *pool)
{
    renderer_t r;
    apr_status_t status;
    begin(&r, pool);
    r.partial = partial;
    r.baton = baton;
    if (common) {
        r.context[r.contexts++] = common;
    }
    r.context[r.contexts++] = data;
    status = render_range(&r, template, 0, template->count, "");
    if (status != APR_SUCCESS) {
        return status;
    }
    r.out[r.len] = '\0';
    *out = r.out;
    *len = r.len;
    return APR_SUCCESS;
}

apr_status_t oas_mustache_render(const oas_mustache_t *template, const json_t *data,
                                 oas_mustache_partial_t partial, void *baton, const char **out,
                                 apr_size_t *len, apr_pool_t *pool)
{
    return oas_mustache_render_with(template, NULL, data, partial, baton, out, len, pool);
}

const char *oas_html_escape(const char *text, apr_pool_t *pool)
{
    apr_size_t len = 0;
    for (const char *p = text; *p; p++) {
        const char *reference = reference_of(*p);
        len += reference ? strlen(reference) : 1;
    }
    char *out = apr_palloc(pool, len + 1), *to = out;
    for (const char *p = text; *p; p++) {
        const char *reference = reference_of(*p);
        to = reference ? apr_cpystrn(to, reference, strlen(reference) + 1) : to;
        if (!reference) {
            *to++ = *p;
        }
    }
    *to = '\0';
    return out;
}
