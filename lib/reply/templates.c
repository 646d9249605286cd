/* SPDX-License-Identifier: Apache-2.0 */
#include "templates.h"
#include "mustache.h"
#include <string.h>
#include <apr_base64.h>
#include <apr_file_io.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include "../base/bytes.h"
#include "../base/json.h"

#define STRINGS_FILE "strings/en.json"

typedef struct {
    const char *name; /**< as a page, or as a partial */
    const char *file;
    int page;
    int literal; /**< taken as it stands: "{{" means nothing in it */
} source_t;

static const source_t sources[] = {
    {"layout", "layout.mustache", 0, 0},
    {"login", "login.mustache", 1, 0},
    {"consent", "consent.mustache", 1, 0},
    {"error", "error.mustache", 1, 0},
    {"form_post", "form_post.mustache", 1, 0},
    {"web_message", "web_message.mustache", 1, 0},
    {"continue", "continue.mustache", 1, 0},
    {"application", "application.mustache", 0, 0},
    {"about", "about.mustache", 0, 0},
    {"handover", "handover.mustache", 0, 0},
    {"style", "style.css", 0, 1},
    {"script", "submit.js", 0, 1},
    {"message_script", "message.js", 0, 1},
};

#define SOURCES (sizeof(sources) / sizeof(sources[0]))

struct oas_templates {
    const oas_mustache_t *compiled[SOURCES];
    const char *paths[SOURCES];
    json_t *common;      /**< {"t": {name: text}}, what every page sees */
    apr_hash_t *strings; /**< name -> oas_mustache_t *: the same texts as partials */
    const char *style_hash, *script_hashes[SOURCES];
};

/** One rendering, as the partials see it. */
typedef struct {
    const oas_templates_t *templates;
    const char *page;
    const char *kind; /**< which of the page's texts, or NULL */
} view_t;

/** One loading. */
typedef struct {
    oas_templates_t *templates;
    const char *dir, *shipped;
    const char *why;
    apr_pool_t *pool, *scratch;
} loader_t;

static int find_source(const char *name)
{
    for (apr_size_t i = 0; i < SOURCES; i++) {
        if (strcmp(sources[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static const oas_mustache_t *find_string(const oas_templates_t *templates, const char *name)
{
    return apr_hash_get(templates->strings, name, APR_HASH_KEY_STRING);
}

/* heading, message and next are texts of the page's kind, or else of the page, or else of any
 * error. */
static const oas_mustache_t *find_page_text(const view_t *view, const char *name)
{
    const char *const owners[] = {view->kind, view->page, "error"};
    for (apr_size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
        char key[64];
        const oas_mustache_t *text;
        if (!owners[i]) {
            continue;
        }
        apr_snprintf(key, sizeof(key), "%s_%s", owners[i], name);
        text = find_string(view->templates, key);
        if (text) {
            return text;
        }
    }
    return NULL;
}

static const oas_mustache_t *find_partial(void *baton, const char *name)
{
    const view_t *view = baton;
    int source;
    if (strncmp(name, "t.", 2) == 0) {
        return find_string(view->templates, name + 2);
    }
    if (strcmp(name, "heading") == 0 || strcmp(name, "message") == 0 || strcmp(name, "next") == 0) {
        return find_page_text(view, name);
    }
    source = find_source(strcmp(name, "page") == 0 ? view->page : name);
    return source < 0 ? NULL : view->templates->compiled[source];
}

apr_status_t oas_templates_render(const oas_templates_t *templates, const char *name,
                                  const json_t *data, const char **html, apr_size_t *len,
                                  apr_pool_t *pool)
{
    int source = find_source(name);
    view_t view = {templates, name, oas_json_string(data, "kind")};
    if (source < 0 || !sources[source].page) {
        return APR_ENOENT;
    }
    return oas_mustache_render_with(templates->compiled[find_source("layout")], templates->common,
                                    data, find_partial, &view, html, len, pool);
}

static apr_status_t complain(loader_t *l, const char *path, int line, const char *what)
{
    l->why = apr_psprintf(l->pool, "%s:%d: %s", path, line, what);
    return APR_EINVAL;
}

/* Browsers read a carriage return with a line feed as a line feed, and hash that. */
static apr_size_t unify_line_breaks(char *text, apr_size_t len)
{
    apr_size_t to = 0;
    for (apr_size_t i = 0; i < len; i++) {
        if (text[i] != '\r' || i + 1 == len || text[i + 1] != '\n') {
            text[to++] = text[i];
        }
    }
    text[to] = '\0';
    return to;
}

static apr_status_t read_open(apr_file_t *file, char **text, apr_size_t *len, apr_pool_t *pool)
{
    apr_size_t max = OAS_MUSTACHE_MAX_TEMPLATE + 1;
    apr_status_t status;
    *text = apr_palloc(pool, max + 1);
    status = apr_file_read_full(file, *text, max, len);
    if (status == APR_SUCCESS) {
        return APR_ENOSPC;
    }
    *len = unify_line_breaks(*text, *len);
    return APR_STATUS_IS_EOF(status) ? APR_SUCCESS : status;
}

/* Reads one file. A missing one is APR_ENOENT without complaint. */
static apr_status_t read_file(loader_t *l, const char *path, char **text, apr_size_t *len)
{
    char reason[120];
    apr_file_t *file;
    apr_status_t status =
        apr_file_open(&file, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, l->scratch);
    if (APR_STATUS_IS_ENOENT(status)) {
        return APR_ENOENT;
    }
    if (status == APR_SUCCESS) {
        status = read_open(file, text, len, l->scratch);
        apr_file_close(file);
    }
    if (status == APR_ENOSPC) {
        return complain(l, path, 1, "is longer than 256 kB");
    }
    if (status != APR_SUCCESS) {
        apr_strerror(status, reason, sizeof(reason));
        return complain(l, path, 1, apr_pstrcat(l->scratch, "cannot be read: ", reason, NULL));
    }
    return oas_utf8_valid(*text, *len) ? APR_SUCCESS : complain(l, path, 1, "is not UTF-8 text");
}

/* Reads a file from the administrator's folder, or else the shipped one. */
static apr_status_t read_source(loader_t *l, const char *name, const char **path, char **text,
                                apr_size_t *len)
{
    const char *const dirs[] = {l->dir, l->shipped};
    for (apr_size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        apr_status_t status;
        if (!dirs[i]) {
            continue;
        }
        *path = apr_pstrcat(l->pool, dirs[i], "/", name, NULL);
        status = read_file(l, *path, text, len);
        if (status != APR_ENOENT) {
            return status;
        }
    }
    return complain(l, *path, 1, "is missing");
}

static apr_status_t check_dir(loader_t *l)
{
    apr_finfo_t info;
    if (!l->dir) {
        return APR_SUCCESS;
    }
    if (apr_stat(&info, l->dir, APR_FINFO_TYPE, l->scratch) != APR_SUCCESS ||
        info.filetype != APR_DIR) {
        return complain(l, l->dir, 1, "is not a folder that can be read");
    }
    return APR_SUCCESS;
}

/* Texts are plain: only their placeholders are Mustache, and those are always escaped. */
static apr_status_t add_string(loader_t *l, const char *path, const char *name, const char *text)
{
    static const char *const refused[] = {"{{{", "{{&", "{{>", "{{="};
    const char *why, *escaped = oas_html_escape(text, l->scratch);
    oas_mustache_t *compiled;
    for (apr_size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (strstr(text, refused[i])) {
            return complain(
                l, path, 1,
                apr_psprintf(l->scratch, "text \"%s\": %s is not for texts", name, refused[i]));
        }
    }
    if (oas_mustache_compile(&compiled, escaped, strlen(escaped), &why, l->pool) != APR_SUCCESS) {
        return complain(l, path, 1, apr_psprintf(l->scratch, "text \"%s\", line %s", name, why));
    }
    apr_hash_set(l->templates->strings, apr_pstrdup(l->pool, name), APR_HASH_KEY_STRING, compiled);
    return APR_SUCCESS;
}

/* Adds one file of texts; what is there already is replaced. */
static apr_status_t add_strings(loader_t *l, const char *path, const char *json, apr_size_t len)
{
    json_error_t error;
    const char *name;
    json_t *value, *texts = json_loadb(json, len, JSON_REJECT_DUPLICATES, &error);
    if (!texts) {
        return complain(l, path, error.line, error.text);
    }
    oas_json_own(l->scratch, texts);
    if (!json_is_object(texts)) {
        return complain(l, path, 1, "is not a JSON object");
    }
    json_object_foreach(texts, name, value)
    {
        apr_status_t status;
        if (!json_is_string(value)) {
            return complain(l, path, 1,
                            apr_psprintf(l->scratch, "text \"%s\" is not a string", name));
        }
        status = add_string(l, path, name, json_string_value(value));
        if (status != APR_SUCCESS) {
            return status;
        }
    }
    json_object_update(json_object_get(l->templates->common, "t"), texts);
    return APR_SUCCESS;
}

/* The shipped texts, and over them those of the administrator. */
static apr_status_t load_strings(loader_t *l)
{
    const char *const dirs[] = {l->shipped, l->dir};
    oas_templates_t *templates = l->templates;
    templates->strings = apr_hash_make(l->pool);
    templates->common = oas_json_object(l->pool);
    json_object_set_new(templates->common, "t", json_object());
    for (apr_size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]) && dirs[i]; i++) {
        const char *path = apr_pstrcat(l->pool, dirs[i], "/" STRINGS_FILE, NULL);
        apr_size_t len;
        char *json;
        apr_status_t status = read_file(l, path, &json, &len);
        if (status == APR_ENOENT && i > 0) {
            continue;
        }
        if (status == APR_ENOENT) {
            return complain(l, path, 1, "is missing");
        }
        if (status == APR_SUCCESS) {
            status = add_strings(l, path, json, len);
        }
        if (status != APR_SUCCESS) {
            return status;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t load_source(loader_t *l, apr_size_t i)
{
    oas_mustache_t *compiled;
    const char *why;
    apr_size_t len;
    char *text;
    apr_status_t status = read_source(l, sources[i].file, &l->templates->paths[i], &text, &len);
    if (status != APR_SUCCESS) {
        return status;
    }
    if (sources[i].literal) {
        compiled = oas_mustache_literal(text, len, l->pool);
    } else if (oas_mustache_compile(&compiled, text, len, &why, l->pool) != APR_SUCCESS) {
        l->why = apr_psprintf(l->pool, "%s:%s", l->templates->paths[i], why);
        return APR_EINVAL;
    }
    l->templates->compiled[i] = compiled;
    return APR_SUCCESS;
}

static apr_status_t check_partials(loader_t *l)
{
    view_t view = {l->templates, "error", NULL};
    for (apr_size_t i = 0; i < SOURCES; i++) {
        const char *why;
        if (oas_mustache_check_partials(l->templates->compiled[i], find_partial, &view, &why,
                                        l->scratch) != APR_SUCCESS) {
            l->why = apr_psprintf(l->pool, "%s:%s", l->templates->paths[i], why);
            return APR_EINVAL;
        }
    }
    return APR_SUCCESS;
}

/* The CSP source of what stands between the first <tag ...> and its end; for a page without one
 * that of the empty text, which allows nothing. */
static const char *hash_between(const char *html, const char *tag, apr_pool_t *pool)
{
    const char *from = strstr(html, apr_pstrcat(pool, "<", tag, NULL)), *to;
    unsigned char digest[OAS_SHA256_LEN];
    char text[(OAS_SHA256_LEN + 2) / 3 * 4 + 1];
    from = from ? strchr(from, '>') : NULL;
    from = from ? from + 1 : "";
    to = strstr(from, apr_pstrcat(pool, "</", tag, ">", NULL));
    oas_sha256(from, to ? (apr_size_t)(to - from) : 0, digest);
    apr_base64_encode_binary(text, digest, sizeof(digest));
    return apr_pstrcat(pool, "'sha256-", text, "'", NULL);
}

/* Renders each page once, without data: so that a page that includes itself is found now, and to
 * hash the style and the script exactly as they go out. */
static apr_status_t try_pages(loader_t *l)
{
    json_t *nothing = oas_json_object(l->scratch);
    oas_templates_t *t = l->templates;
    for (apr_size_t i = 0; i < SOURCES; i++) {
        const char *html;
        apr_size_t len;
        if (!sources[i].page) {
            continue;
        }
        if (oas_templates_render(t, sources[i].name, nothing, &html, &len, l->scratch)) {
            return complain(l, t->paths[i], 1, "includes itself, or is too large a page");
        }
        t->style_hash = t->style_hash ? t->style_hash : hash_between(html, "style", l->pool);
        t->script_hashes[i] = hash_between(html, "script", l->pool);
    }
    return APR_SUCCESS;
}

static apr_status_t load(loader_t *l)
{
    apr_status_t status = check_dir(l);
    if (status == APR_SUCCESS) {
        status = load_strings(l);
    }
    for (apr_size_t i = 0; i < SOURCES && status == APR_SUCCESS; i++) {
        status = load_source(l, i);
    }
    if (status == APR_SUCCESS) {
        status = check_partials(l);
    }
    return status == APR_SUCCESS ? try_pages(l) : status;
}

apr_status_t oas_templates_load(oas_templates_t **out, const char *dir, const char *shipped,
                                const char **why, apr_pool_t *pool)
{
    loader_t l = {apr_pcalloc(pool, sizeof(oas_templates_t)), dir, shipped, NULL, pool, NULL};
    apr_status_t status = apr_pool_create(&l.scratch, pool);
    if (status != APR_SUCCESS) {
        *why = "no memory";
        return status;
    }
    status = load(&l);
    apr_pool_destroy(l.scratch);
    *why = l.why;
    *out = status == APR_SUCCESS ? l.templates : NULL;
    return status;
}

const char *oas_templates_style_hash(const oas_templates_t *templates)
{
    return templates->style_hash;
}

const char *oas_templates_script_hash(const oas_templates_t *templates, const char *name)
{
    return templates->script_hashes[find_source(name)];
}
