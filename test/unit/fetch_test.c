/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses and URLs outgoing requests may reach. */
#include "unit.h"

#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include "../../lib/fetch/address.h"
#include "../../lib/fetch/fetch.h"

static struct sockaddr *address_of(const char *text)
{
    struct sockaddr_in6 *v6 = apr_pcalloc(pool, sizeof(*v6));
    struct sockaddr_in *v4 = apr_pcalloc(pool, sizeof(*v4));

    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        return (struct sockaddr *)v4;
    }
    ck_assert_int_eq(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
    v6->sin6_family = AF_INET6;
    return (struct sockaddr *)v6;
}

static const char *const open_addresses[] = {
    "1.1.1.1",         "9.255.255.255",    "11.0.0.0",         "100.63.255.255",  "100.128.0.0",
    "126.255.255.255", "128.0.0.0",        "169.253.255.255",  "169.255.0.0",     "172.15.255.255",
    "172.32.0.0",      "192.0.1.0",        "192.167.255.255",  "192.169.0.0",     "198.17.255.255",
    "198.20.0.0",      "223.255.255.255",  "2001:200::1",      "2606:4700::1111", "2a00:1450::1",
    "::ffff:1.1.1.1",  "64:ff9b::1.1.1.1", "2001:db7:ffff::1", "2001:db9::1",     "3ffe:ffff::1",
};

START_TEST(open_address)
{
    ck_assert_msg(oas_address_public(address_of(open_addresses[_i])), "%s", open_addresses[_i]);
}
END_TEST

static const char *const closed_addresses[] = {
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.169.254",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.1.2.3",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.1.1.1",
    "::ffff:169.254.169.254",
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:1ff::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:101:101::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "4000::1",
};

START_TEST(closed_address)
{
    ck_assert_msg(!oas_address_public(address_of(closed_addresses[_i])), "%s",
                  closed_addresses[_i]);
}
END_TEST

START_TEST(closed_family)
{
    struct sockaddr local = {.sa_family = AF_UNIX};

    ck_assert(!oas_address_public(&local));
    ck_assert(!oas_address_allowed(&local, "localhost", NULL));
}
END_TEST

static const struct {
    const char *entry, *address, *host;
    int allowed;
} lists[] = {
    {"127.0.0.1", "127.0.0.1", "a.example", 1},
    {"127.0.0.1", "127.0.0.2", "a.example", 0},
    {"127.0.0.1", "::ffff:127.0.0.1", "a.example", 1},
    {"127.0.0.1", "::1", "127.0.0.1", 0},
    {"10.0.0.0/8", "10.200.3.4", "a.example", 1},
    {"10.0.0.0/8", "11.0.0.1", "a.example", 0},
    {"10.128.0.0/9", "10.127.0.1", "a.example", 0},
    {"0.0.0.0/0", "10.1.1.1", "a.example", 1},
    {"0.0.0.0/0", "fd00::1", "a.example", 0},
    {"fd00::/8", "fd12::1", "a.example", 1},
    {"::/0", "fe80::1", "a.example", 1},
    {"::1", "::1", "a.example", 1},
    {"keys.internal", "10.0.0.1", "keys.internal", 1},
    {"Keys.Internal", "10.0.0.1", "keys.internal", 1},
    {"keys.internal", "10.0.0.1", "other.internal", 0},
    {"keys.internal", "10.0.0.1", "x.keys.internal", 0},
};

START_TEST(allow_list)
{
    apr_array_header_t *allow = apr_array_make(pool, 2, sizeof(const char *));

    APR_ARRAY_PUSH(allow, const char *) = "192.0.2.77";
    APR_ARRAY_PUSH(allow, const char *) = lists[_i].entry;
    ck_assert_int_eq(oas_address_allowed(address_of(lists[_i].address), lists[_i].host, allow),
                     lists[_i].allowed);
}
END_TEST

static const struct {
    const char *entry;
    int valid;
} entries[] = {
    {"10.0.0.0/8", 1},  {"10.0.0.0/32", 1},
    {"10.0.0.0/33", 0}, {"10.0.0.0/", 0},
    {"10.0.0.0/x", 0},  {"10.0.0.0/-1", 0},
    {"10.0.0", 0},      {"10.0.0.256", 0},
    {"::1/128", 1},     {"::1/129", 0},
    {"fd00::/8", 1},    {"keys.internal", 1},
    {"localhost", 1},   {"", 0},
    {"a..b", 0},        {".a", 0},
    {"a.", 0},          {"https://a/", 0},
    {"a b", 0},         {"a:80", 0},
    {"[::1]", 0},       {"host/8", 0},
};

START_TEST(entry_is_valid)
{
    ck_assert_msg(oas_address_entry_valid(entries[_i].entry) == entries[_i].valid, "%s",
                  entries[_i].entry);
}
END_TEST

static const struct {
    const char *issuer, *url;
} urls[] = {
    {"https://as.example/", "http://localhost:1/keys"},
    {"http://localhost:8080/", "http://a.example/keys"},
    {"https://as.example/", "https://u:p@127.0.0.1:1/keys"},
    {"https://as.example/", "https://127.0.0.1:1/keys#x"},
    {"https://as.example/", "file:///etc/passwd"},
    {"https://as.example/", "ftp://127.0.0.1:1/keys"},
    {"https://as.example/", "https:/127.0.0.1"},
    {"https://as.example/", "//127.0.0.1"},
    {"https://as.example/", ""},
};

START_TEST(url_is_refused)
{
    oas_issuer_t issuer = {.url = urls[_i].issuer};
    const char *why = NULL;
    json_t *json;

    ck_assert_msg(oas_fetch_json(&json, urls[_i].url, &issuer, &why, pool) == APR_EINVAL, "%s",
                  urls[_i].url);
    ck_assert_ptr_nonnull(strstr(why, "https"));
}
END_TEST

#define LOOP(tcase, test, table)                                                                   \
    tcase_add_loop_test(tcase, test, 0, sizeof(table) / sizeof((table)[0]))

int main(void)
{
    Suite *suite = suite_create("fetch");
    TCase *tcase = unit_case(suite, "address");

    LOOP(tcase, open_address, open_addresses);
    LOOP(tcase, closed_address, closed_addresses);
    tcase_add_test(tcase, closed_family);
    LOOP(tcase, allow_list, lists);
    LOOP(tcase, entry_is_valid, entries);
    LOOP(tcase, url_is_refused, urls);
    return unit_run(suite);
}
