/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Mustache engine: the cases of its specification ($OAS_VECTORS/mustache, else
 * "$srcdir/../shared/vectors/mustache"; without them this says so and passes, unless
 * OAS_REQUIRE_VECTORS=1), and what the specification leaves to us: escaping, bounds, messages.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include "../../lib/base/json.h"
#include "../../lib/reply/mustache.h"

static const oas_mustache_t *from_hash(void *baton, const char *name)
{
    return apr_hash_get(baton, name, APR_HASH_KEY_STRING);
}

static oas_mustache_t *compiled(const char *text)
{
    oas_mustache_t *template = NULL;
    const char *why = "";
    apr_status_t status = oas_mustache_compile(&template, text, strlen(text), &why, pool);
    ck_assert_msg(status == APR_SUCCESS, "%s: %s", text, why);
    return template;
}

static json_t *json_of(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_DECODE_ANY, &error);
    ck_assert_msg(json != NULL, "%s: %s", text, error.text);
    return oas_json_own(pool, json);
}

static const char *render_json(const char *text, const json_t *data, apr_hash_t *partials)
{
    const char *out = NULL;
    apr_size_t len = 0;
    ck_assert_int_eq(
        oas_mustache_render(compiled(text), data, from_hash, partials, &out, &len, pool),
        APR_SUCCESS);
    ck_assert_uint_eq(strlen(out), len);
    return out;
}

static const char *render(const char *text, const char *data)
{
    return render_json(text, json_of(data), apr_hash_make(pool));
}

static apr_status_t render_status(const char *text, const char *data, apr_hash_t *partials)
{
    const char *out;
    apr_size_t len;
    return oas_mustache_render(compiled(text), json_of(data), from_hash, partials, &out, &len,
                               pool);
}

static const char *vectors(void)
{
    const char *path = getenv("OAS_VECTORS");
    const char *source = getenv("srcdir");
    const char *required = getenv("OAS_REQUIRE_VECTORS");
    if (!path || !*path) {
        path = apr_pstrcat(pool, source ? source : ".", "/../shared/vectors", NULL);
    }
    path = apr_pstrcat(pool, path, "/mustache", NULL);
    if (access(path, R_OK | X_OK) == 0) {
        return path;
    }
    ck_assert_msg(!required || strcmp(required, "1") != 0, "no vectors in %s", path);
    printf("mustache: vectors not found: skipped (%s)\n", path);
    fflush(stdout);
    return NULL;
}

static int run_case(const char *file, const json_t *test)
{
    const char *name, *got, *expected = oas_json_string(test, "expected");
    apr_hash_t *partials = apr_hash_make(pool);
    json_t *value;
    json_object_foreach(json_object_get(test, "partials"), name, value)
    {
        apr_hash_set(partials, name, APR_HASH_KEY_STRING, compiled(json_string_value(value)));
    }
    got = render_json(oas_json_string(test, "template"), json_object_get(test, "data"), partials);
    if (strcmp(got, expected) == 0) {
        return 0;
    }
    fprintf(stderr, "%s: %s: expected\n%s\ngot\n%s\n", file, oas_json_string(test, "name"),
            expected, got);
    return 1;
}

START_TEST(specification)
{
    static const struct {
        const char *name;
        int cases;
    } files[] = {{"comments", 12}, {"delimiters", 14}, {"interpolation", 42},
                 {"inverted", 22}, {"partials", 12},   {"sections", 34}};
    const char *folder = vectors();
    int count = 0, wrong = 0;
    for (size_t i = 0; folder && i < sizeof(files) / sizeof(files[0]); i++) {
        const char *path = apr_pstrcat(pool, folder, "/", files[i].name, ".json", NULL);
        json_error_t error;
        json_t *json = oas_json_own(pool, json_load_file(path, 0, &error)), *test;
        size_t index;
        ck_assert_msg(json != NULL, "%s: %s", path, error.text);
        json_array_foreach(json_object_get(json, "tests"), index, test)
        {
            wrong += run_case(files[i].name, test);
        }
        ck_assert_int_ge((int)index, files[i].cases);
        count += (int)index;
    }
    if (folder) {
        printf("mustache: %d cases of the specification, %d wrong\n", count, wrong);
        fflush(stdout);
    }
    ck_assert_int_eq(wrong, 0);
}
END_TEST

static const struct {
    const char *template, *data, *expected;
} own[] = {
    {"<a href='{{x}}' title=\"{{x}}\">", "{\"x\": \"'\\\"<>&\"}",
     "<a href='&#39;&quot;&lt;&gt;&amp;' title=\"&#39;&quot;&lt;&gt;&amp;\">"},
    {"{{{x}}}{{&x}}", "{\"x\": \"'<\"}", "'<'<"},
    {"{{x}}", "{\"x\": \"{{y}}\", \"y\": \"no\"}", "{{y}}"},
    {"{{a}} {{b}} {{c}} {{d}}", "{\"a\": 0.1, \"b\": 3.3, \"c\": -9007199254740993, \"d\": 1e300}",
     "0.1 3.3 -9007199254740993 1e+300"},
    {"{{a}}{{b}}", "{\"a\": true, \"b\": false}", "truefalse"},
    {"[{{a}}{{b}}]", "{\"a\": {}, \"b\": [1]}", "[]"},
    {"{{#s}}yes{{/s}}{{^s}}no{{/s}}", "{\"s\": \"\"}", "no"},
    {"{{#n}}{{.}}{{/n}}", "{\"n\": 0}", "0"},
    {"{{#l}}{{n}}{{/l}}{{^l}}none{{/l}}", "{\"l\": [{\"n\": 1}, {}], \"n\": \"o\"}", "1o"},
    {"{{=<% %>=}}<%{x}%><%&x%>", "{\"x\": \"<\"}", "<<"},
    {"", "{}", ""},
};

START_TEST(own_cases)
{
    ck_assert_str_eq(render(own[_i].template, own[_i].data), own[_i].expected);
}
END_TEST

START_TEST(indentation_of_nested_partials)
{
    apr_hash_t *partials = apr_hash_make(pool);
    apr_hash_set(partials, "a", APR_HASH_KEY_STRING, compiled("1\n  {{>b}}\n{{x}}\n"));
    apr_hash_set(partials, "b", APR_HASH_KEY_STRING, compiled("{{#x}}2{{/x}}\n\n3\n"));
    ck_assert_str_eq(render_json(" {{>a}}\n", json_of("{\"x\": \"p\\nq\"}"), partials),
                     " 1\n   2\n   \n   3\n p\nq\n");
}
END_TEST

START_TEST(common_names)
{
    json_t *common = json_of("{\"t\": {\"a\": \"A\"}, \"x\": \"common\"}");
    json_t *data = json_of("{\"x\": \"data\"}");
    const char *out;
    apr_size_t len;
    ck_assert_int_eq(oas_mustache_render_with(compiled("{{t.a}} {{x}}"), common, data, NULL, NULL,
                                              &out, &len, pool),
                     APR_SUCCESS);
    ck_assert_str_eq(out, "A data");
}
END_TEST

static const struct {
    const char *template, *why;
} wrong[] = {
    {"a\n{{x", "2: a tag is not closed by \"}}\""},
    {"{{{x}}", "1: a tag is not closed by \"}}}\""},
    {"{{=| |}}", "1: a tag is not closed by \"=}}\""},
    {"\n\n{{#a}}\n{{#b}}{{/b}}", "3: a section is not ended: \"a\""},
    {"{{#a}}\n{{/b}}", "2: section \"a\" of line 1 is ended by \"b\""},
    {"{{/b}}", "1: the end of a section that was not begun: \"b\""},
    {"{{}}", "1: a tag without a name"},
    {"{{# }}", "1: a tag without a name"},
    {"{{a b}}", "1: malformed name \"a b\""},
    {"{{a..b}}", "1: malformed name \"a..b\""},
    {"{{.a}}", "1: malformed name \".a\""},
    {"{{ #a}}", "1: malformed name \"#a\""},
    {"{{=a=}}", "1: malformed delimiters \"a\""},
    {"{{=123456789 |=}}", "1: malformed delimiters \"123456789 |\""},
};

START_TEST(malformed)
{
    oas_mustache_t *template;
    const char *why = NULL, *text = wrong[_i].template;
    ck_assert_int_eq(oas_mustache_compile(&template, text, strlen(text), &why, pool), APR_EINVAL);
    ck_assert_str_eq(why, wrong[_i].why);
}
END_TEST

START_TEST(bounds)
{
    static char large[OAS_MUSTACHE_MAX_TEMPLATE + 1];
    apr_hash_t *partials = apr_hash_make(pool);
    oas_mustache_t *template;
    const char *why, *deep = "", *wide = "x";
    memset(large, 'x', sizeof(large));
    ck_assert_int_eq(oas_mustache_compile(&template, large, sizeof(large), &why, pool), APR_ENOSPC);
    ck_assert_int_eq(oas_mustache_compile(&template, large, sizeof(large) - 1, &why, pool),
                     APR_SUCCESS);
    apr_hash_set(partials, "large", APR_HASH_KEY_STRING, template);
    ck_assert_int_eq(render_status("{{>large}}{{>large}}{{>large}}{{>large}}", "{}", partials),
                     APR_SUCCESS);
    ck_assert_int_eq(render_status("{{>large}}{{>large}}{{>large}}{{>large}}.", "{}", partials),
                     APR_ENOSPC);
    apr_hash_set(partials, "loop", APR_HASH_KEY_STRING, compiled("{{>loop}}"));
    ck_assert_int_eq(render_status("{{>loop}}", "{}", partials), APR_ENOSPC);
    for (int i = 0; i < OAS_MUSTACHE_MAX_DEPTH; i++) {
        deep = apr_pstrcat(pool, deep, "{{#x}}", NULL);
        wide = apr_pstrcat(pool, "{{#l}}", wide, "{{/l}}", NULL);
    }
    ck_assert_int_eq(render_status(wide, "{\"l\": [1]}", partials), APR_SUCCESS);
    ck_assert_int_eq(render_status(wide, "{\"l\": [1, 2]}", partials), APR_ENOSPC);
    deep = apr_pstrcat(pool, deep, "{{#x}}", NULL);
    ck_assert_int_eq(oas_mustache_compile(&template, deep, strlen(deep), &why, pool), APR_ENOSPC);
}
END_TEST

START_TEST(literal_and_missing_partials)
{
    apr_hash_t *partials = apr_hash_make(pool);
    const char *why = NULL;
    apr_hash_set(partials, "l", APR_HASH_KEY_STRING, oas_mustache_literal("{{x", 3, pool));
    ck_assert_str_eq(render_json("<{{>l}}>", json_of("{}"), partials), "<{{x>");
    ck_assert_int_eq(
        oas_mustache_check_partials(compiled("{{>l}}"), from_hash, partials, &why, pool),
        APR_SUCCESS);
    ck_assert_int_eq(
        oas_mustache_check_partials(compiled("{{>l}}\n{{>gone}}"), from_hash, partials, &why, pool),
        APR_ENOENT);
    ck_assert_str_eq(why, "2: there is no partial \"gone\"");
    ck_assert_str_eq(oas_html_escape("a<'\">&b", pool), "a&lt;&#39;&quot;&gt;&amp;b");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mustache");
    TCase *tcase = unit_case(suite, "specification");
    tcase_add_test(tcase, specification);
    tcase = unit_case(suite, "own");
    tcase_add_loop_test(tcase, own_cases, 0, (int)(sizeof(own) / sizeof(own[0])));
    tcase_add_loop_test(tcase, malformed, 0, (int)(sizeof(wrong) / sizeof(wrong[0])));
    tcase_add_test(tcase, indentation_of_nested_partials);
    tcase_add_test(tcase, common_names);
    tcase_add_test(tcase, bounds);
    tcase_add_test(tcase, literal_and_missing_partials);
    return unit_run(suite);
}
