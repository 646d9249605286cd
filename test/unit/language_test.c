/* SPDX-License-Identifier: Apache-2.0 */
/* Which language somebody gets. */
#include "unit.h"

#include <string.h>
#include "../../lib/reply/language.h"

static const struct {
    const char *available, *ui_locales, *accept_language, *chosen;
} choices[] = {
    {"en de fr", NULL, NULL, "en"},
    {"fr en", NULL, NULL, "fr"},
    {"en de fr", "de", NULL, "de"},
    {"en de fr", "de fr", NULL, "de"},
    {"en de fr", "nl fr", NULL, "fr"},
    {"en de fr", "  nl   fr ", NULL, "fr"},
    {"en de fr", "fr-CA", NULL, "fr"},
    {"en de fr", "FR-ca", NULL, "fr"},
    {"en de fr", "nl", "de", "de"},
    {"en de fr", "fr", "de", "fr"},
    {"en de fr", "nl it", NULL, "en"},
    {"en de fr", "", "de", "de"},
    {"en de fr", "-de de-", NULL, "en"},
    {"en de fr", "abcdefghi", "x", "en"},
    {"en de fr", "x-private", NULL, "en"},
    {"en de fr", "de_AT", "fr", "fr"},
    {"en de fr", "\xff\xfe", "fr", "fr"},
    {"en de fr", "de-aaaaaaaa-bbbbbbbb-cccccccc-dddddddd-eeeeeeee", NULL, "en"},
    {"en de fr", NULL, "fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "fr"},
    {"en de fr", NULL, "nl;q=0.1, de;q=0.2, fr;q=0.3", "fr"},
    {"en de fr", NULL, "de;q=0.2, fr;q=0.200", "de"},
    {"en de fr", NULL, "de;q=0, fr;q=0.001", "fr"},
    {"en de fr", NULL, "de;q=0", "en"},
    {"en de fr", NULL, "de;q=1.001, fr;q=0.1", "fr"},
    {"en de fr", NULL, "de;q=0.1234, fr;q=0.1", "fr"},
    {"en de fr", NULL, "de;q=, fr;q=0.1", "fr"},
    {"en de fr", NULL, "de;level=1, fr;q=0.1", "fr"},
    {"en de fr", NULL, "de ; q=0.1\t,\tfr ;\tQ=0.2", "fr"},
    {"en de fr", NULL, "*", "en"},
    {"fr en", NULL, "nl, *;q=0.5, en;q=0.1", "fr"},
    {"en de fr", NULL, ",,;,; ,;q=1,de", "de"},
    {"en de fr", NULL, ";q=1", "en"},
    {"en zh-Hans zh-Hant-TW", "zh-Hant-TW", NULL, "zh-Hant-TW"},
    {"en zh-Hans zh-Hant-TW", "zh-Hans-CN", NULL, "zh-Hans"},
    {"en zh-Hans zh-Hant-TW", "zh-Hant", NULL, "zh-Hant-TW"},
    {"en zh-Hans zh-Hant-TW", "zh-Hant-HK", NULL, "en"},
    {"en zh-Hans zh-Hant-TW", "zh", NULL, "zh-Hans"},
    {"en pt-BR", NULL, "pt", "pt-BR"},
    {"en pt-BR", NULL, "p", "en"},
    {"en de", "de-x-goethe", NULL, "de"},
};

START_TEST(the_best_is_chosen)
{
    oas_words_t *available;
    const char *chosen;

    ck_assert_int_eq(oas_words_parse(&available, choices[_i].available, pool), APR_SUCCESS);
    chosen = oas_language_choose(available, choices[_i].ui_locales, choices[_i].accept_language);
    ck_assert_str_eq(chosen, choices[_i].chosen);
}
END_TEST

/* No more than 32 ranges are looked at. */
START_TEST(long_headers_are_bounded)
{
    oas_words_t *available;
    char header[32 * 3 + 3] = "";
    int i;

    ck_assert_int_eq(oas_words_parse(&available, "en de", pool), APR_SUCCESS);
    for (i = 0; i < 31; i++) {
        memcpy(header + i * 3, "nl,", 3);
    }
    memcpy(header + 31 * 3, "de", 3);
    ck_assert_str_eq(oas_language_choose(available, NULL, header), "de");
    memcpy(header + 31 * 3, "nl,de", 6);
    ck_assert_str_eq(oas_language_choose(available, NULL, header), "en");
}
END_TEST

START_TEST(tags)
{
    static const char *const good[] = {"en", "pt-BR", "zh-Hant-TW", "de-1996", "sr-Latn", "yue"};
    static const char *const bad[] = {"",   "e",     "-",     "en-",       "-en", "en--GB", "en_GB",
                                      "1n", "../en", "en/de", "abcdefghi", "*",   "en GB",  "é"};
    size_t i;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ck_assert_msg(oas_language_valid(good[i]), "%s", good[i]);
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(!oas_language_valid(bad[i]), "%s", bad[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("language");
    TCase *tcase = unit_case(suite, "language");

    tcase_add_loop_test(tcase, the_best_is_chosen, 0, (int)(sizeof(choices) / sizeof(choices[0])));
    tcase_add_test(tcase, long_headers_are_bounded);
    tcase_add_test(tcase, tags);
    return unit_run(suite);
}
