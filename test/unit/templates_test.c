/* SPDX-License-Identifier: Apache-2.0 */
/* The shipped templates, the administrator's folder over them, and what a page does with hostile
 * data. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <apr_base64.h>
#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include "../../lib/base/bytes.h"
#include "../../lib/base/json.h"
#include "../../lib/reply/templates.h"

static const char *const pages[] = {
    "login",          "consent", "error",  "form_post", "web_message", "logout_frontchannel",
    "select_account", "account", "logout", "logged_out"};

#define PAGES (sizeof(pages) / sizeof(pages[0]))

static const char *own_dir;

static const char *shipped(void)
{
    const char *source = getenv("srcdir");
    return apr_pstrcat(pool, source ? source : ".", "/templates", NULL);
}

/* A folder of the administrator with an empty strings/ in it. */
static void setup(void)
{
    char template[] = "/tmp/oas-templates-XXXXXX";
    unit_setup();
    ck_assert_ptr_nonnull(mkdtemp(template));
    own_dir = apr_pstrdup(pool, template);
    ck_assert_int_eq(
        apr_dir_make(apr_pstrcat(pool, own_dir, "/strings", NULL), APR_FPROT_OS_DEFAULT, pool),
        APR_SUCCESS);
}

static void remove_folder(const char *path)
{
    apr_dir_t *dir;
    apr_finfo_t info;
    ck_assert_int_eq(apr_dir_open(&dir, path, pool), APR_SUCCESS);
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        if (info.name[0] != '.') {
            remove(apr_pstrcat(pool, path, "/", info.name, NULL));
        }
    }
    apr_dir_close(dir);
    remove(path);
}

static void teardown(void)
{
    remove_folder(apr_pstrcat(pool, own_dir, "/strings", NULL));
    remove_folder(own_dir);
    unit_teardown();
}

static void write_own(const char *name, const char *data, apr_size_t len)
{
    apr_file_t *file;
    const char *path = apr_pstrcat(pool, own_dir, "/", name, NULL);
    ck_assert_int_eq(apr_file_open(&file, path, APR_WRITE | APR_CREATE | APR_TRUNCATE,
                                   APR_FPROT_OS_DEFAULT, pool),
                     APR_SUCCESS);
    ck_assert_int_eq(apr_file_write_full(file, data, len, NULL), APR_SUCCESS);
    apr_file_close(file);
}

static oas_words_t *words(const char *text)
{
    oas_words_t *out;
    ck_assert_int_eq(oas_words_parse(&out, text, pool), APR_SUCCESS);
    return out;
}

/* languages NULL: all that there are. */
static oas_templates_t *load_languages(const char *dir, const char *languages)
{
    oas_templates_t *templates = NULL;
    const char *why = NULL;
    apr_status_t status = oas_templates_load(&templates, dir, shipped(),
                                             languages ? words(languages) : NULL, &why, pool);
    ck_assert_msg(status == APR_SUCCESS, "%s", why);
    return templates;
}

static oas_templates_t *load(const char *dir)
{
    return load_languages(dir, NULL);
}

static const char *render_in(const oas_templates_t *templates, const char *language,
                             const char *page, const json_t *data)
{
    const char *html = NULL;
    apr_size_t len = 0;
    ck_assert_int_eq(oas_templates_render(templates, language, page, data, &html, &len, pool),
                     APR_SUCCESS);
    ck_assert_uint_eq(strlen(html), len);
    return html;
}

static const char *render(const oas_templates_t *templates, const char *page, const json_t *data)
{
    return render_in(templates, NULL, page, data);
}

static int count(const char *text, const char *part)
{
    int n = 0;
    for (; (text = strstr(text, part)); text += strlen(part)) {
        n++;
    }
    return n;
}

/* The text between the first <tag> and its end. */
static const char *between(const char *html, const char *tag)
{
    const char *from = strstr(html, apr_pstrcat(pool, "<", tag, ">", NULL));
    ck_assert_msg(from != NULL, "no <%s>", tag);
    from += strlen(tag) + 2;
    return apr_pstrmemdup(
        pool, from, (apr_size_t)(strstr(from, apr_pstrcat(pool, "</", tag, ">", NULL)) - from));
}

static const char *csp_hash(const char *text)
{
    unsigned char digest[OAS_SHA256_LEN];
    char base64[64];
    oas_sha256(text, strlen(text), digest);
    apr_base64_encode_binary(base64, digest, sizeof(digest));
    return apr_pstrcat(pool, "'sha256-", base64, "'", NULL);
}

/* Every member that any page shows, each with `text` as its value. */
static json_t *full_data(const char *text)
{
    static const char *const objects[][6] = {
        {"issuer", "name", "logo"},
        {"client", "name", "logo_uri", "client_uri", "policy_uri", "tos_uri"},
        {"user", "name", "sub"},
        {"links", "forgot_password", "signup", "help", "switch_account"},
        {"back", "url", "name"},
        {"error", "text"},
        {"message", "origin", "response"},
    };
    static const char *const members[] = {"lang", "dir",       "username", "destination",
                                          "code", "reference", "detail",   "stylesheet"};
    json_t *data = oas_json_object(pool);
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        json_t *object = json_object();
        for (size_t k = 1; k < 6 && objects[i][k]; k++) {
            oas_json_set(object, objects[i][k], text);
        }
        json_object_set_new(data, objects[i][0], object);
    }
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        oas_json_set(data, members[i], text);
    }
    json_object_set_new(
        data, "form",
        json_pack("{s:s, s:[{s:s, s:s}]}", "action", text, "hidden", "name", text, "value", text));
    json_object_set_new(data, "permissions", json_pack("[{s:s, s:b}]", "text", text, "new", 1));
    json_object_set_new(data, "wait", json_pack("{s:s, s:s}", "minutes", text, "seconds", text));
    json_object_set_new(data, "offline", json_true());
    return data;
}

START_TEST(pages_are_whole)
{
    oas_templates_t *templates = load(NULL);
    for (size_t i = 0; i < PAGES; i++) {
        const char *html = render(templates, pages[i], full_data("shown"));
        ck_assert_msg(strncmp(html, "<!DOCTYPE html>", 15) == 0, "%s", pages[i]);
        ck_assert_int_eq(count(html, "<h1>"), 1);
        ck_assert_int_eq(count(html, "<main"), 1);
        ck_assert_int_eq(count(html, "</html>"), 1);
        ck_assert_int_eq(count(html, "{{"), 0);
        ck_assert_int_eq(count(html, " style="), 0);
    }
}
END_TEST

/* Stable names that scripts and password managers rely on. */
START_TEST(stable_names)
{
    static const struct {
        const char *page, *part;
    } names[] = {
        {"login", "name=\"username\" type=\"text\" value=\"shown\" autocomplete=\"username\""},
        {"login", "name=\"password\" type=\"password\" autocomplete=\"current-password\""},
        {"login", "<input type=\"hidden\" name=\"shown\" value=\"shown\">"},
        {"login", "<button type=\"submit\" class=\"primary\">"},
        {"consent", "name=\"decision\" value=\"allow\""},
        {"consent", "name=\"decision\" value=\"deny\""},
        {"form_post", "<form method=\"post\" action=\"shown\">"},
        {"web_message", "id=\"answer\" hidden data-origin=\"shown\" data-response=\"shown\""},
        {"error", "<dd><code>shown</code></dd>"},
    };
    oas_templates_t *templates = load(NULL);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *html = render(templates, names[i].page, full_data("shown"));
        ck_assert_msg(count(html, names[i].part) > 0, "%s: %s", names[i].page, names[i].part);
    }
}
END_TEST

/* A hostile value appears escaped, and a page with it has the tags of the page with a harmless one.
 */
START_TEST(hostile_values)
{
    const char *hostile = "\"'><script>alert(1)</script><b x=\"{{t.wait}}{{{code}}}&";
    oas_templates_t *templates = load(NULL);
    for (size_t i = 0; i < PAGES; i++) {
        const char *html = render(templates, pages[i], full_data(hostile));
        const char *harmless = render(templates, pages[i], full_data("shown"));
        ck_assert_int_eq(count(html, hostile), 0);
        ck_assert_int_eq(count(html, "<script>alert"), 0);
        ck_assert_int_eq(count(html, "'>"), 0);
        ck_assert_int_eq(count(html, "<b"), count(harmless, "<b"));
        ck_assert_int_eq(count(html, "<"), count(harmless, "<"));
        ck_assert_int_eq(count(html, ">"), count(harmless, ">"));
        ck_assert_int_eq(count(html, "\""), count(harmless, "\""));
        ck_assert_int_gt(count(html, "&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"
                                     "&lt;b x=&quot;{{t.wait}}{{{code}}}&amp;"),
                         3);
    }
}
END_TEST

START_TEST(hashes_are_right)
{
    oas_templates_t *templates = load(NULL);
    json_t *data = oas_json_object(pool);
    for (size_t i = 0; i < PAGES; i++) {
        const char *html = render(templates, pages[i], data);
        int script = i >= 3 && i < 6;
        ck_assert_str_eq(csp_hash(between(html, "style")), oas_templates_style_hash(templates));
        ck_assert_int_eq(count(html, "<script"), script);
        if (script) {
            ck_assert_str_eq(csp_hash(between(html, "script")),
                             oas_templates_script_hash(templates, pages[i]));
        }
    }
    oas_json_set(data, "stylesheet", "/own.css");
    const char *linked = render(templates, "login", data);
    ck_assert_int_eq(count(linked, "<link rel=\"stylesheet\" href=\"/own.css\">"), 1);
    ck_assert_int_eq(count(linked, "<style"), 0);
}
END_TEST

/* An own file replaces the shipped one; line breaks of another system do not disturb the hash. */
START_TEST(overridden_by_file)
{
    const char *css = "body { color: {{red}} }\r\n", *strings = "{\"login_heading\": \"Moin <&\"}";
    write_own("style.css", css, strlen(css));
    write_own("strings/en.json", strings, strlen(strings));
    oas_templates_t *templates = load(own_dir);
    const char *html = render(templates, "login", oas_json_object(pool));
    ck_assert_str_eq(between(html, "style"), "body { color: {{red}} }\n");
    ck_assert_str_eq(csp_hash("body { color: {{red}} }\n"), oas_templates_style_hash(templates));
    ck_assert_str_eq(between(html, "h1"), "Moin &lt;&amp;");
    ck_assert_int_eq(count(html, ">Password<"), 1);
    write_own("login.mustache", "<h1>{{t.login_submit}}</h1>", 27);
    html = render(load(own_dir), "login", oas_json_object(pool));
    ck_assert_str_eq(between(html, "h1"), "Sign in");
    ck_assert_int_eq(count(html, "<form"), 0);
}
END_TEST

START_TEST(texts_by_kind)
{
    oas_templates_t *templates = load(NULL);
    json_t *data = oas_json_object(pool);
    const char *html = render(templates, "error", data);
    ck_assert_str_eq(between(html, "h1"), "Something went wrong");
    oas_json_set(data, "kind", "stale");
    html = render(templates, "error", data);
    ck_assert_str_eq(between(html, "h1"), "This page is out of date");
    oas_json_set(data, "kind", "no-such-kind");
    html = render(templates, "error", data);
    ck_assert_str_eq(between(html, "h1"), "Something went wrong");
}
END_TEST

#define write_text(name, text) write_own(name, text, strlen(text))

START_TEST(each_language_has_its_words)
{
    oas_templates_t *templates = load(NULL);
    json_t *data = oas_json_object(pool);
    const char *html;
    ck_assert_str_eq(oas_words_join(oas_templates_languages(templates), pool), "en ar de es fr ja");
    html = render_in(templates, "de", "login", data);
    ck_assert_int_eq(count(html, "<html lang=\"de\" dir=\"ltr\">"), 1);
    ck_assert_str_eq(between(html, "h1"), "Anmelden");
    html = render_in(templates, "ar", "login", data);
    ck_assert_int_eq(count(html, "<html lang=\"ar\" dir=\"rtl\">"), 1);
    html = render_in(templates, "nl", "login", data);
    ck_assert_int_eq(count(html, "<html lang=\"en\" dir=\"ltr\">"), 1);
    for (size_t i = 0; i < PAGES; i++) { /* the same page, but for its words */
        const char *english = render(templates, pages[i], full_data("shown"));
        html = render_in(templates, "ja", pages[i], full_data("shown"));
        ck_assert_int_eq(count(html, "<"), count(english, "<"));
        ck_assert_str_ne(between(html, "h1"), between(english, "h1"));
    }
    templates = load_languages(NULL, "fr en");
    ck_assert_str_eq(oas_words_join(oas_templates_languages(templates), pool), "fr en");
    ck_assert_int_eq(count(render(templates, "login", data), "lang=\"fr\""), 1);
}
END_TEST

/* An administrator changes single words of a language, or adds one that need not be whole. */
START_TEST(missing_words_are_english)
{
    json_t *data = oas_json_object(pool);
    const char *html;
    oas_templates_t *templates;
    write_text("strings/de.json", "{\"login_heading\": \"Moin\"}");
    write_text("strings/he.json", "{\"dir\": \"rtl\", \"login_password\": \"סיסמה\"}");
    write_text("strings/en.json", "{\"login_submit\": \"Go on\"}");
    write_text("strings/no tag.json", "{");
    templates = load(own_dir);
    ck_assert_str_eq(oas_words_join(oas_templates_languages(templates), pool),
                     "en ar de es fr he ja");
    html = render_in(templates, "de", "login", data);
    ck_assert_str_eq(between(html, "h1"), "Moin");
    ck_assert_int_eq(count(html, ">Passwort<"), 1);
    html = render_in(templates, "he", "login", data);
    ck_assert_int_eq(count(html, "<html lang=\"he\" dir=\"rtl\">"), 1);
    ck_assert_int_eq(count(html, ">סיסמה<"), 1);
    ck_assert_str_eq(between(html, "h1"), "Sign in");
    ck_assert_int_eq(count(html, ">Go on<"), 1);
    ck_assert_str_eq(oas_templates_text(templates, "he", "login_password"), "סיסמה");
    ck_assert_str_eq(oas_templates_text(templates, "he", "login_heading"), "Sign in");
    ck_assert_ptr_null(oas_templates_text(templates, "he", "no_such_text"));
}
END_TEST

static const struct {
    const char *file, *text, *why; /**< why: without the folder */
} mistakes[] = {
    {"login.mustache", "<p>\n{{#error}}", "/login.mustache:2: a section is not ended: \"error\""},
    {"layout.mustache", "\n{{>nothing}}", "/layout.mustache:2: there is no partial \"nothing\""},
    {"consent.mustache", "{{>consent}}",
     "/consent.mustache:1: includes itself, or is too large a page"},
    {"error.mustache", "\xff", "/error.mustache:1: is not UTF-8 text"},
    {"strings/en.json", "{\n\"a\": }", "/strings/en.json:2: "},
    {"strings/en.json", "[]", "/strings/en.json:1: is not a JSON object"},
    {"strings/en.json", "{\"a\": 1}", "/strings/en.json:1: text \"a\" is not a string"},
    {"strings/en.json", "{\"a\": \"{{{b}}}\"}",
     "/strings/en.json:1: text \"a\": {{{ is not for texts"},
    {"strings/de.json", "{\n\n\"a\": \"{{>b}}\"}",
     "/strings/de.json:3: text \"a\": {{> is not for texts"},
    {"strings/nl.json", "{\"dir\": \"up\"}",
     "/strings/nl.json:1: text \"dir\" is neither ltr nor rtl"},
    {"strings/en.json", "{\"a\": \"{{b\"}",
     "/strings/en.json:1: text \"a\", line 1: a tag is not closed by \"}}\""},
};

START_TEST(mistakes_are_told)
{
    oas_templates_t *templates;
    const char *why = NULL, *expected = apr_pstrcat(pool, own_dir, mistakes[_i].why, NULL);
    write_own(mistakes[_i].file, mistakes[_i].text, strlen(mistakes[_i].text));
    ck_assert_int_eq(oas_templates_load(&templates, own_dir, shipped(), NULL, &why, pool),
                     APR_EINVAL);
    ck_assert_msg(strncmp(why, expected, strlen(expected)) == 0, "%s\nis not %s", why, expected);
}
END_TEST

START_TEST(missing_is_told)
{
    oas_templates_t *templates;
    const char *why = NULL, *gone = apr_pstrcat(pool, own_dir, "/gone", NULL);
    const char *page = apr_pstrcat(pool, own_dir, "/login.mustache", NULL);
    ck_assert_int_eq(oas_templates_load(&templates, gone, shipped(), NULL, &why, pool), APR_EINVAL);
    ck_assert_str_eq(why, apr_pstrcat(pool, gone, ":1: is not a folder that can be read", NULL));
    ck_assert_int_eq(oas_templates_load(&templates, NULL, own_dir, NULL, &why, pool), APR_EINVAL);
    ck_assert_str_eq(why, apr_pstrcat(pool, own_dir, "/strings/en.json:1: is missing", NULL));
    write_own("strings/en.json", "{}", 2);
    ck_assert_int_eq(oas_templates_load(&templates, NULL, own_dir, NULL, &why, pool), APR_EINVAL);
    ck_assert_str_eq(why, apr_pstrcat(pool, own_dir, "/layout.mustache:1: is missing", NULL));
    ck_assert_int_eq(apr_dir_make(page, APR_FPROT_OS_DEFAULT, pool), APR_SUCCESS);
    ck_assert_int_eq(oas_templates_load(&templates, own_dir, shipped(), NULL, &why, pool),
                     APR_EINVAL);
    ck_assert_ptr_eq(strstr(why, apr_pstrcat(pool, page, ":1: cannot be read: ", NULL)), why);
    ck_assert_int_eq(oas_templates_load(&templates, NULL, shipped(), words("en nl"), &why, pool),
                     APR_EINVAL);
    ck_assert_str_eq(why, apr_pstrcat(pool, shipped(), "/strings/nl.json:1: is missing", NULL));
}
END_TEST

/* A name after "t." that no text has would silently show nothing. */
START_TEST(no_text_is_misspelled)
{
    static const char *const files[] = {
        "layout",      "login",          "consent", "error",  "about",      "handover",
        "application", "select_account", "account", "logout", "logged_out", "logout_frontchannel",
        "password",    "keep",           "help",    "person", "alert"};
    json_error_t error;
    json_t *texts = oas_json_own(
        pool, json_load_file(apr_pstrcat(pool, shipped(), "/strings/en.json", NULL), 0, &error));
    int names = 0;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char text[16384];
        apr_size_t len = sizeof(text) - 1;
        apr_file_t *file;
        const char *path = apr_pstrcat(pool, shipped(), "/", files[i], ".mustache", NULL);
        ck_assert_int_eq(apr_file_open(&file, path, APR_READ, 0, pool), APR_SUCCESS);
        apr_file_read_full(file, text, len, &len);
        text[len] = '\0';
        apr_file_close(file);
        for (const char *p = text; (p = strstr(p, "{{t.")); names++) {
            p += 4;
            const char *name = apr_pstrmemdup(pool, p, strcspn(p, "}"));
            ck_assert_msg(oas_json_string(texts, name) != NULL, "%s: t.%s", path, name);
        }
    }
    ck_assert_int_gt(names, 15);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("templates");
    TCase *tcase = tcase_create("templates");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, pages_are_whole);
    tcase_add_test(tcase, stable_names);
    tcase_add_test(tcase, hostile_values);
    tcase_add_test(tcase, hashes_are_right);
    tcase_add_test(tcase, overridden_by_file);
    tcase_add_test(tcase, texts_by_kind);
    tcase_add_test(tcase, each_language_has_its_words);
    tcase_add_test(tcase, missing_words_are_english);
    tcase_add_loop_test(tcase, mistakes_are_told, 0, (int)(sizeof(mistakes) / sizeof(mistakes[0])));
    tcase_add_test(tcase, missing_is_told);
    tcase_add_test(tcase, no_text_is_misspelled);
    return unit_run(suite);
}
