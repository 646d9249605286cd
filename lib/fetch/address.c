/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <apr_strings.h>

#define ADDRESS_LEN  16
#define V4_OFFSET    12
#define V4_BITS      96
#define ENTRY_MAX    64 /* longest address with its bits */
#define HOSTNAME_MAX 253

/* A network; one of IPv4 lies in ::ffff:0:0/96. */
typedef struct {
    unsigned char base[ADDRESS_LEN];
    int bits;
} network_t;

#define V4(a, b, c, d, n)                                                                          \
    {                                                                                              \
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}, V4_BITS + (n)                      \
    }

/* IPv4 that is not public unicast: RFC 6890, RFC 6598, RFC 5736, RFC 7526, RFC 2544, RFC 1112. */
static const network_t closed_v4[] = {
    V4(0, 0, 0, 0, 8),      V4(10, 0, 0, 0, 8),     V4(100, 64, 0, 0, 10), V4(127, 0, 0, 0, 8),
    V4(169, 254, 0, 0, 16), V4(172, 16, 0, 0, 12),  V4(192, 0, 0, 0, 24),  V4(192, 0, 2, 0, 24),
    V4(192, 88, 99, 0, 24), V4(192, 168, 0, 0, 16), V4(198, 18, 0, 0, 15), V4(198, 51, 100, 0, 24),
    V4(203, 0, 113, 0, 24), V4(224, 0, 0, 0, 4),    V4(240, 0, 0, 0, 4),
};

static const network_t v4_mapped = V4(0, 0, 0, 0, 0);
static const network_t nat64 = {{0x00, 0x64, 0xff, 0x9b}, V4_BITS}; /* RFC 6052 section 2.1 */
static const network_t global_v6 = {{0x20}, 3};                     /* RFC 4291 section 2.4 */

/* Inside 2000::/3: protocols with Teredo, documentation, 6to4. */
static const network_t closed_v6[] = {
    {{0x20, 0x01, 0x00}, 23},
    {{0x20, 0x01, 0x0d, 0xb8}, 32},
    {{0x20, 0x02}, 16},
    {{0x3f, 0xff, 0x00}, 20},
};

static int in_network(const unsigned char address[ADDRESS_LEN], const network_t *network)
{
    int whole = network->bits / 8;
    int rest = network->bits % 8;
    unsigned char mask = (unsigned char)(0xff << (8 - rest));

    return memcmp(address, network->base, (size_t)whole) == 0 &&
           (rest == 0 || (address[whole] & mask) == (network->base[whole] & mask));
}

static int in_any(const unsigned char address[ADDRESS_LEN], const network_t *list, size_t count)
{
    size_t i;

    for (i = 0; i < count && !in_network(address, &list[i]); i++) {
    }
    return i < count;
}

static void put_v4(unsigned char out[ADDRESS_LEN], const void *v4)
{
    memcpy(out, v4_mapped.base, V4_OFFSET);
    memcpy(out + V4_OFFSET, v4, ADDRESS_LEN - V4_OFFSET);
}

/* The address in one form for both families; 0 for another family. */
static int read_address(unsigned char out[ADDRESS_LEN], const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        put_v4(out, &((const struct sockaddr_in *)(const void *)address)->sin_addr);
        return 1;
    }
    if (address->sa_family == AF_INET6) {
        memcpy(out, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, ADDRESS_LEN);
        return 1;
    }
    return 0;
}

int oas_address_public(const struct sockaddr *address)
{
    unsigned char bytes[ADDRESS_LEN];

    if (!read_address(bytes, address)) {
        return 0;
    }
    if (in_network(bytes, &nat64)) {
        put_v4(bytes, bytes + V4_OFFSET);
    }
    if (in_network(bytes, &v4_mapped)) {
        return !in_any(bytes, closed_v4, sizeof(closed_v4) / sizeof(closed_v4[0]));
    }
    return in_network(bytes, &global_v6) &&
           !in_any(bytes, closed_v6, sizeof(closed_v6) / sizeof(closed_v6[0]));
}

/* Reads ADDRESS or ADDRESS/BITS; 0 when it is neither. */
static int read_network(network_t *out, const char *entry)
{
    const char *slash = strchr(entry, '/');
    size_t len = slash != NULL ? (size_t)(slash - entry) : strlen(entry);
    char text[ENTRY_MAX];
    unsigned char v4[ADDRESS_LEN - V4_OFFSET];
    int max = 8 * ADDRESS_LEN;

    if (len >= sizeof(text)) {
        return 0;
    }
    apr_cpystrn(text, entry, len + 1);
    if (inet_pton(AF_INET, text, v4) == 1) {
        put_v4(out->base, v4);
        max -= V4_BITS;
    } else if (inet_pton(AF_INET6, text, out->base) != 1) {
        return 0;
    }
    out->bits = max;
    if (slash != NULL) {
        size_t digits = strspn(slash + 1, "0123456789");
        if (digits == 0 || digits > 3 || slash[1 + digits] != '\0') {
            return 0;
        }
        out->bits = (int)apr_atoi64(slash + 1);
    }
    if (out->bits > max) {
        return 0;
    }
    out->bits += 8 * ADDRESS_LEN - max;
    return 1;
}

int oas_address_allowed(const struct sockaddr *address, const char *host,
                        const apr_array_header_t *allow)
{
    unsigned char bytes[ADDRESS_LEN];
    int i;

    for (i = 0; allow != NULL && i < allow->nelts; i++) {
        const char *entry = APR_ARRAY_IDX(allow, i, const char *);
        network_t network;

        if (read_network(&network, entry)) {
            if (read_address(bytes, address) && in_network(bytes, &network)) {
                return 1;
            }
        } else if (strcasecmp(entry, host) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Labels of letters, digits, hyphens and underscores; the last one is no number. */
static int is_host_name(const char *text)
{
    size_t len = strlen(text);
    const char *label = text;
    const char *p;

    if (len == 0 || len > HOSTNAME_MAX) {
        return 0;
    }
    for (p = text; *p != '\0'; p++) {
        if (*p == '.') {
            if (p == label) {
                return 0;
            }
            label = p + 1;
        } else if (!isalnum((unsigned char)*p) && *p != '-' && *p != '_') {
            return 0;
        }
    }
    return *label != '\0' && strspn(label, "0123456789") != strlen(label);
}

int oas_address_entry_valid(const char *entry)
{
    network_t network;

    return read_network(&network, entry) || is_host_name(entry);
}
