/* SPDX-License-Identifier: Apache-2.0 */
/* What people read about the browsers in which they are signed in. */
#include "unit.h"

#include <string.h>
#include <apr_strings.h>
#include "../../lib/base/bytes.h"
#include "../../lib/login/device.h"

#define ON_WINDOWS "Mozilla/5.0 (Windows NT 10.0; Win64; x64) "
#define ON_MAC     "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "
#define ON_LINUX   "Mozilla/5.0 (X11; Linux x86_64) "
#define ON_IPHONE  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) "
#define ON_IPAD    "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) "
#define ON_ANDROID "Mozilla/5.0 (Linux; Android 14; K) "
#define BLINK      "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
#define WEBKIT     "AppleWebKit/605.1.15 (KHTML, like Gecko) "

static const struct {
    const char *user_agent, *text;
} devices[] = {
    {ON_WINDOWS BLINK "Safari/537.36", "Chrome (Windows)"},
    {ON_WINDOWS BLINK "Safari/537.36 Edg/131.0.0.0", "Edge (Windows)"},
    {ON_WINDOWS BLINK "Safari/537.36 OPR/116.0.0.0", "Opera (Windows)"},
    {ON_WINDOWS BLINK "Safari/537.36 Vivaldi/7.0", "Vivaldi (Windows)"},
    {ON_WINDOWS "Gecko/20100101 Firefox/132.0", "Firefox (Windows)"},
    {"Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
     "Internet Explorer (Windows)"},
    {ON_MAC WEBKIT "Version/18.1 Safari/605.1.15", "Safari (macOS)"},
    {ON_MAC BLINK "Safari/537.36", "Chrome (macOS)"},
    {ON_LINUX "Gecko/20100101 Firefox/132.0", "Firefox (Linux)"},
    {ON_LINUX "AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36",
     "Chrome (Linux)"},
    {ON_LINUX WEBKIT "Version/18.0 Safari/605.1.15 Epiphany/605.1.15", "GNOME Web (Linux)"},
    {"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " BLINK "Safari/537.36", "Chrome (ChromeOS)"},
    {"Mozilla/5.0 (X11; FreeBSD amd64; rv:132.0) Gecko/20100101 Firefox/132.0",
     "Firefox (FreeBSD)"},
    {ON_IPHONE WEBKIT "Version/17.5 Mobile/15E148 Safari/604.1", "Safari (iPhone)"},
    {ON_IPHONE WEBKIT "CriOS/131.0.0.0 Mobile/15E148 Safari/604.1", "Chrome (iPhone)"},
    {ON_IPHONE WEBKIT "FxiOS/132.0 Mobile/15E148 Safari/605.1.15", "Firefox (iPhone)"},
    {ON_IPHONE WEBKIT "Version/17.0 EdgiOS/131.0 Mobile/15E148 Safari/604.1", "Edge (iPhone)"},
    {ON_IPAD WEBKIT "Version/17.5 Mobile/15E148 Safari/604.1", "Safari (iPad)"},
    {ON_ANDROID BLINK "Mobile Safari/537.36", "Chrome (Android)"},
    {ON_ANDROID BLINK "Mobile Safari/537.36 EdgA/131.0.0.0", "Edge (Android)"},
    {ON_ANDROID
     "AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile "
     "Safari/537.36",
     "Samsung Internet (Android)"},
    {"Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0", "Firefox (Android)"},
    {"Dalvik/2.1.0 (Linux; U; Android 14)", "Android"},
    {"Firefox/1", "Firefox"},
    {"curl/8.11.0", "curl/8.11.0"},
    {"", NULL},
    {NULL, NULL},
};

START_TEST(device_cases)
{
    const char *text = oas_device_text(devices[_i].user_agent, pool);

    if (devices[_i].text == NULL) {
        ck_assert_ptr_null(text);
        return;
    }
    ck_assert_str_eq(text, devices[_i].text);
}
END_TEST

/* Text of any length around the limit, of characters of each length. */
START_TEST(unknown_ones_are_cut_between_characters)
{
    static const char *const characters[] = {"x", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\xa6\x8a"};
    const char *character = characters[_i];
    char *text = apr_pstrdup(pool, "");

    while (strlen(text) < OAS_DEVICE_MAX + 20) {
        const char *out;

        text = apr_pstrcat(pool, text, character, NULL);
        out = oas_device_text(text, pool);
        ck_assert_int_eq(oas_utf8_valid(out, strlen(out)), 1);
        ck_assert_uint_le(strlen(out), OAS_DEVICE_MAX + 3);
        if (strlen(text) <= OAS_DEVICE_MAX) {
            ck_assert_str_eq(out, text);
        } else {
            ck_assert_str_eq(out + strlen(out) - 3, "\xe2\x80\xa6");
            ck_assert_uint_gt(strlen(out), OAS_DEVICE_MAX - 4);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device");
    TCase *tcase = unit_case(suite, "device");

    tcase_add_loop_test(tcase, device_cases, 0, sizeof(devices) / sizeof(devices[0]));
    tcase_add_loop_test(tcase, unknown_ones_are_cut_between_characters, 0, 4);
    return unit_run(suite);
}
