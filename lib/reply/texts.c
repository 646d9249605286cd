/* SPDX-License-Identifier: Apache-2.0 */
#include "texts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <apr_file_info.h>
#include <apr_strings.h>
#include "../base/json.h"
#include "../base/json_plain.h"
#include "language.h"

#define FOLDER  "strings"
#define SUFFIX  ".json"
#define ENGLISH "en"

const oas_mustache_t *oas_texts_find(const oas_texts_t *texts, const char *name)
{
    return apr_hash_get(texts->strings, name, APR_HASH_KEY_STRING);
}

const char *oas_texts_plain(const oas_texts_t *texts, const char *name)
{
    return oas_json_string(json_object_get(texts->common, "t"), name);
}

/* The line of a member in a JSON text, or 1. */
static int line_of(const char *json, const char *name, apr_pool_t *pool)
{
    const char *at = strstr(json, apr_pstrcat(pool, "\"", name, "\"", NULL)), *p;
    int line = 1;
    for (p = json; at && p < at; p++) {
        line += *p == '\n';
    }
    return line;
}

/* Texts are plain: only their placeholders are Mustache, and those are always escaped. */
static const char *compile_text(oas_loader_t *l, const char *text, oas_mustache_t **out)
{
    static const char *const refused[] = {"{{{", "{{&", "{{>", "{{="};
    const char *why, *escaped = oas_html_escape(text, l->scratch);
    for (apr_size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (strstr(text, refused[i])) {
            return apr_psprintf(l->scratch, ": %s is not for texts", refused[i]);
        }
    }
    if (oas_mustache_compile(out, escaped, strlen(escaped), &why, l->pool) != APR_SUCCESS) {
        return apr_psprintf(l->scratch, ", line %s", why);
    }
    return NULL;
}

static int is_direction(const char *text)
{
    return strcmp(text, "ltr") == 0 || strcmp(text, "rtl") == 0;
}

static apr_status_t add_text(oas_loader_t *l, oas_texts_t *texts, const char *name,
                             const json_t *value, const char **why)
{
    oas_mustache_t *compiled;
    if (!json_is_string(value)) {
        *why = " is not a string";
        return APR_EINVAL;
    }
    *why = compile_text(l, json_string_value(value), &compiled);
    if (strcmp(name, "dir") == 0 && !is_direction(json_string_value(value))) {
        *why = " is neither ltr nor rtl";
    }
    if (*why) {
        return APR_EINVAL;
    }
    apr_hash_set(texts->strings, apr_pstrdup(l->pool, name), APR_HASH_KEY_STRING, compiled);
    return APR_SUCCESS;
}

/* Adds one file of texts; what is there already is replaced. */
static apr_status_t add_json(oas_loader_t *l, oas_texts_t *texts, const char *path,
                             const char *json, apr_size_t len)
{
    json_error_t error;
    const char *name, *why;
    json_t *value, *added = oas_json_plain(json, len);
    if (!added) {
        added = json_loadb(json, len, JSON_REJECT_DUPLICATES, &error);
    }
    if (!added) {
        return oas_loader_complain(l, path, error.line, error.text);
    }
    oas_json_own(l->scratch, added);
    if (!json_is_object(added)) {
        return oas_loader_complain(l, path, 1, "is not a JSON object");
    }
    json_object_foreach(added, name, value)
    {
        if (add_text(l, texts, name, value, &why) != APR_SUCCESS) {
            return oas_loader_complain(l, path, line_of(json, name, l->scratch),
                                       apr_psprintf(l->scratch, "text \"%s\"%s", name, why));
        }
    }
    json_object_update(json_object_get(texts->common, "t"), added);
    return APR_SUCCESS;
}

/* The shipped texts of one language, and over them those of the administrator. */
static apr_status_t add_files(oas_loader_t *l, oas_texts_t *texts, const char *tag)
{
    const char *const dirs[] = {l->shipped, l->dir};
    const char *path = NULL;
    int found = 0;
    for (apr_size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]) && dirs[i]; i++) {
        apr_size_t len;
        char *json;
        path = apr_pstrcat(l->pool, dirs[i], "/" FOLDER "/", tag, SUFFIX, NULL);
        apr_status_t status = oas_loader_read(l, path, &json, &len);
        if (status == APR_ENOENT) {
            continue;
        }
        if (status == APR_SUCCESS) {
            status = add_json(l, texts, path, json, len);
        }
        if (status != APR_SUCCESS) {
            return status;
        }
        found = 1;
    }
    return found ? APR_SUCCESS : oas_loader_complain(l, path, 1, "is missing");
}

/* The texts of `tag`, over those in `english`; NULL: these are the English ones. */
static apr_status_t load_language(oas_loader_t *l, const char *tag, const oas_texts_t *english,
                                  oas_texts_t *out)
{
    out->tag = apr_pstrdup(l->pool, tag);
    out->strings = english ? apr_hash_copy(l->pool, english->strings) : apr_hash_make(l->pool);
    out->common = oas_json_object(l->pool);
    json_object_set_new(out->common, "t",
                        english ? json_copy(json_object_get(english->common, "t")) : json_object());
    if (!english || strcmp(tag, ENGLISH) != 0) {
        apr_status_t status = add_files(l, out, tag);
        if (status != APR_SUCCESS) {
            return status;
        }
    }
    oas_json_set(out->common, "lang", out->tag);
    oas_json_set(out->common, "dir", oas_texts_plain(out, "dir"));
    return APR_SUCCESS;
}

static int compare_tags(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The tags that a folder has texts for. */
static void add_tags(oas_words_t *tags, const char *folder, apr_pool_t *pool)
{
    apr_dir_t *dir;
    apr_finfo_t info;
    if (apr_dir_open(&dir, folder, pool) != APR_SUCCESS) {
        return;
    }
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        apr_size_t len = strlen(info.name);
        if (len > strlen(SUFFIX) && strcmp(info.name + len - strlen(SUFFIX), SUFFIX) == 0) {
            const char *tag = apr_pstrmemdup(pool, info.name, len - strlen(SUFFIX));
            if (oas_language_valid(tag)) {
                oas_words_add(tags, tag);
            }
        }
    }
    apr_dir_close(dir);
}

static const oas_words_t *all_languages(const oas_loader_t *l)
{
    const char *const dirs[] = {l->shipped, l->dir};
    oas_words_t *tags = oas_words_create(l->scratch), *all = oas_words_create(l->scratch);
    for (apr_size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]) && dirs[i]; i++) {
        add_tags(tags, apr_pstrcat(l->scratch, dirs[i], "/" FOLDER, NULL), l->scratch);
    }
    qsort(tags->elts, (size_t)tags->nelts, sizeof(const char *), compare_tags);
    oas_words_add(all, ENGLISH);
    for (int i = 0; i < tags->nelts; i++) {
        oas_words_add(all, OAS_WORD(tags, i));
    }
    return all;
}

apr_status_t oas_texts_load(oas_loader_t *l, const oas_words_t *languages, apr_array_header_t **out)
{
    oas_texts_t english;
    apr_status_t status = load_language(l, ENGLISH, NULL, &english);
    languages = languages ? languages : all_languages(l);
    *out = apr_array_make(l->pool, languages->nelts, sizeof(oas_texts_t));
    for (int i = 0; i < languages->nelts && status == APR_SUCCESS; i++) {
        status = load_language(l, OAS_WORD(languages, i), &english, apr_array_push(*out));
    }
    return status;
}
