/* SPDX-License-Identifier: Apache-2.0 */
#include "templates.h"
#include <string.h>
#include <apr_base64.h>
#include <apr_file_io.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include "../base/bytes.h"
#include "../base/json.h"
#include "language.h"
#include "loader.h"
#include "mustache.h"
#include "texts.h"

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
    {"select_account", "select_account.mustache", 1, 0},
    {"account", "account.mustache", 1, 0},
    {"logout", "logout.mustache", 1, 0},
    {"logged_out", "logged_out.mustache", 1, 0},
    {"logout_frontchannel", "logout_frontchannel.mustache", 1, 0},
    {"application", "application.mustache", 0, 0},
    {"about", "about.mustache", 0, 0},
    {"handover", "handover.mustache", 0, 0},
    {"password", "password.mustache", 0, 0},
    {"keep", "keep.mustache", 0, 0},
    {"help", "help.mustache", 0, 0},
    {"person", "person.mustache", 0, 0},
    {"alert", "alert.mustache", 0, 0},
    {"style", "style.css", 0, 1},
    {"script", "submit.js", 0, 1},
    {"message_script", "message.js", 0, 1},
    {"frames_script", "frames.js", 0, 1},
};

#define SOURCES (sizeof(sources) / sizeof(sources[0]))

struct oas_templates {
    const oas_mustache_t *compiled[SOURCES];
    const char *paths[SOURCES];
    apr_array_header_t *texts; /**< of oas_texts_t, one for each language */
    oas_words_t *languages;    /**< their tags */
    const char *style_hash, *script_hashes[SOURCES];
};

/** One rendering, as the partials see it. */
typedef struct {
    const oas_templates_t *templates;
    const oas_texts_t *texts;
    const char *page;
    const char *kind; /**< which of the page's texts, or NULL */
} view_t;

static int find_source(const char *name)
{
    for (apr_size_t i = 0; i < SOURCES; i++) {
        if (strcmp(sources[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static const oas_texts_t *texts_of(const oas_templates_t *templates, const char *language)
{
    for (int i = 1; language && i < templates->texts->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(templates->texts, i, oas_texts_t).tag, language) == 0) {
            return &APR_ARRAY_IDX(templates->texts, i, oas_texts_t);
        }
    }
    return &APR_ARRAY_IDX(templates->texts, 0, oas_texts_t);
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
        text = oas_texts_find(view->texts, key);
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
        return oas_texts_find(view->texts, name + 2);
    }
    if (strcmp(name, "heading") == 0 || strcmp(name, "message") == 0 || strcmp(name, "next") == 0) {
        return find_page_text(view, name);
    }
    source = find_source(strcmp(name, "page") == 0 ? view->page : name);
    return source < 0 ? NULL : view->templates->compiled[source];
}

apr_status_t oas_templates_render(const oas_templates_t *templates, const char *language,
                                  const char *name, const json_t *data, const char **html,
                                  apr_size_t *len, apr_pool_t *pool)
{
    int source = find_source(name);
    view_t view = {templates, texts_of(templates, language), name, oas_json_string(data, "kind")};
    if (source < 0 || !sources[source].page) {
        return APR_ENOENT;
    }
    return oas_mustache_render_with(templates->compiled[find_source("layout")], view.texts->common,
                                    data, find_partial, &view, html, len, pool);
}

const char *oas_templates_choose(const oas_templates_t *templates, const char *ui_locales,
                                 const char *accept_language)
{
    return oas_language_choose(templates->languages, ui_locales, accept_language);
}

oas_words_t *oas_templates_languages(const oas_templates_t *templates)
{
    return templates->languages;
}

const char *oas_templates_text(const oas_templates_t *templates, const char *language,
                               const char *name)
{
    return oas_texts_plain(texts_of(templates, language), name);
}

/* Reads a file from the administrator's folder, or else the shipped one. */
static apr_status_t read_source(oas_loader_t *l, const char *name, const char **path, char **text,
                                apr_size_t *len)
{
    const char *const dirs[] = {l->dir, l->shipped};
    for (apr_size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        apr_status_t status;
        if (!dirs[i]) {
            continue;
        }
        *path = apr_pstrcat(l->pool, dirs[i], "/", name, NULL);
        status = oas_loader_read(l, *path, text, len);
        if (status != APR_ENOENT) {
            return status;
        }
    }
    return oas_loader_complain(l, *path, 1, "is missing");
}

static apr_status_t check_dir(oas_loader_t *l)
{
    apr_finfo_t info;
    if (!l->dir) {
        return APR_SUCCESS;
    }
    if (apr_stat(&info, l->dir, APR_FINFO_TYPE, l->scratch) != APR_SUCCESS ||
        info.filetype != APR_DIR) {
        return oas_loader_complain(l, l->dir, 1, "is not a folder that can be read");
    }
    return APR_SUCCESS;
}

static apr_status_t load_source(oas_loader_t *l, oas_templates_t *t, apr_size_t i)
{
    oas_mustache_t *compiled;
    const char *why;
    apr_size_t len;
    char *text;
    apr_status_t status = read_source(l, sources[i].file, &t->paths[i], &text, &len);
    if (status != APR_SUCCESS) {
        return status;
    }
    if (sources[i].literal) {
        compiled = oas_mustache_literal(text, len, l->pool);
    } else if (oas_mustache_compile(&compiled, text, len, &why, l->pool) != APR_SUCCESS) {
        l->why = apr_psprintf(l->pool, "%s:%s", t->paths[i], why);
        return APR_EINVAL;
    }
    t->compiled[i] = compiled;
    return APR_SUCCESS;
}

static apr_status_t check_partials(oas_loader_t *l, const oas_templates_t *t)
{
    view_t view = {t, &APR_ARRAY_IDX(t->texts, 0, oas_texts_t), "error", NULL};
    for (apr_size_t i = 0; i < SOURCES; i++) {
        const char *why;
        if (oas_mustache_check_partials(t->compiled[i], find_partial, &view, &why, l->scratch) !=
            APR_SUCCESS) {
            l->why = apr_psprintf(l->pool, "%s:%s", t->paths[i], why);
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
static apr_status_t try_pages(oas_loader_t *l, oas_templates_t *t)
{
    json_t *nothing = oas_json_object(l->scratch);
    for (apr_size_t i = 0; i < SOURCES; i++) {
        const char *html;
        apr_size_t len;
        if (!sources[i].page) {
            continue;
        }
        if (oas_templates_render(t, NULL, sources[i].name, nothing, &html, &len, l->scratch)) {
            return oas_loader_complain(l, t->paths[i], 1,
                                       "includes itself, or is too large a page");
        }
        t->style_hash = t->style_hash ? t->style_hash : hash_between(html, "style", l->pool);
        t->script_hashes[i] = hash_between(html, "script", l->pool);
    }
    return APR_SUCCESS;
}

static apr_status_t load_texts(oas_loader_t *l, oas_templates_t *t, const oas_words_t *languages)
{
    apr_status_t status = oas_texts_load(l, languages, &t->texts);
    t->languages = oas_words_create(l->pool);
    for (int i = 0; i < t->texts->nelts && status == APR_SUCCESS; i++) {
        oas_words_add(t->languages, APR_ARRAY_IDX(t->texts, i, oas_texts_t).tag);
    }
    return status;
}

static apr_status_t load(oas_loader_t *l, oas_templates_t *t, const oas_words_t *languages)
{
    apr_status_t status = check_dir(l);
    if (status == APR_SUCCESS) {
        status = load_texts(l, t, languages);
    }
    for (apr_size_t i = 0; i < SOURCES && status == APR_SUCCESS; i++) {
        status = load_source(l, t, i);
    }
    if (status == APR_SUCCESS) {
        status = check_partials(l, t);
    }
    return status == APR_SUCCESS ? try_pages(l, t) : status;
}

apr_status_t oas_templates_load(oas_templates_t **out, const char *dir, const char *shipped,
                                const oas_words_t *languages, const char **why, apr_pool_t *pool)
{
    oas_templates_t *templates = apr_pcalloc(pool, sizeof(*templates));
    /* files that are the administrator's and the shipped ones at once are read once */
    oas_loader_t l = {dir && strcmp(dir, shipped) == 0 ? NULL : dir, shipped, NULL, pool, NULL};
    apr_status_t status = apr_pool_create(&l.scratch, pool);
    if (status != APR_SUCCESS) {
        *why = "no memory";
        return status;
    }
    status = load(&l, templates, languages);
    apr_pool_destroy(l.scratch);
    *why = l.why;
    *out = status == APR_SUCCESS ? templates : NULL;
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
