/* SPDX-License-Identifier: Apache-2.0 */
#include "language.h"

#include <string.h>
#include <strings.h>
#include <apr_lib.h>
#include <apr_strings.h>

#define RANGES_MAX   32   /* of one header that are looked at */
#define SUBTAG_MAX   8    /* RFC 5646 section 2.1 */
#define WEIGHT_ONE   1000 /* q=1 in thousandths, which is what the grammar can express */
#define ANY_LANGUAGE "*"

/** A language range with its weight. */
typedef struct {
    char tag[OAS_LANGUAGE_TAG_MAX + 1];
    int weight;
} range_t;

int oas_language_valid(const char *tag)
{
    apr_size_t subtag = 0;
    int first = 1;
    const char *p;

    for (p = tag; *p != '\0'; p++) {
        if (*p == '-' && subtag > 0) {
            first = 0;
            subtag = 0;
        } else if (!(first ? apr_isalpha(*p) : apr_isalnum(*p)) || ++subtag > SUBTAG_MAX) {
            return 0;
        }
    }
    return subtag > 0 && p - tag <= OAS_LANGUAGE_TAG_MAX && (!first || subtag >= 2);
}

/* The one that is called exactly so. */
static const char *find_exact(const oas_words_t *available, const char *tag)
{
    int i;

    for (i = 0; i < available->nelts; i++) {
        if (strcasecmp(OAS_WORD(available, i), tag) == 0) {
            return OAS_WORD(available, i);
        }
    }
    return NULL;
}

/* The first one that begins with the range and a hyphen. */
static const char *find_longer(const oas_words_t *available, const char *range)
{
    apr_size_t len = strlen(range);
    int i;

    for (i = 0; i < available->nelts; i++) {
        const char *tag = OAS_WORD(available, i);
        if (strncasecmp(tag, range, len) == 0 && tag[len] == '-') {
            return tag;
        }
    }
    return NULL;
}

/* Cuts the last subtag off, and a single letter or digit that introduced it. */
static int shorten(char *tag)
{
    char *hyphen = strrchr(tag, '-');

    if (hyphen == NULL) {
        return 0;
    }
    *hyphen = '\0';
    if (hyphen - tag >= 2 && hyphen[-2] == '-') {
        hyphen[-2] = '\0';
    }
    return 1;
}

static const char *look_up(const oas_words_t *available, const char *range)
{
    char tag[OAS_LANGUAGE_TAG_MAX + 1];
    const char *found;

    if (strcmp(range, ANY_LANGUAGE) == 0) {
        return OAS_WORD(available, 0);
    }
    if (!oas_language_valid(range)) {
        return NULL;
    }
    apr_cpystrn(tag, range, sizeof(tag));
    do {
        found = find_exact(available, tag);
    } while (found == NULL && shorten(tag));
    return found != NULL ? found : find_longer(available, range);
}

/* Copies one word of a list; one that is too long for a tag becomes empty, which finds nothing. */
static void take_tag(range_t *range, const char *from, apr_size_t len)
{
    len = len < sizeof(range->tag) ? len : 0;
    memcpy(range->tag, from, len);
    range->tag[len] = '\0';
}

static const char *by_ui_locales(const oas_words_t *available, const char *text)
{
    const char *found = NULL;

    while (found == NULL && *text != '\0') {
        apr_size_t len = strcspn(text, " ");
        range_t range;

        take_tag(&range, text, len);
        found = look_up(available, range.tag);
        text += len;
        text += strspn(text, " ");
    }
    return found;
}

/* ";q=0.8" in thousandths; -1 when it is malformed (RFC 9110 section 12.4.2). */
static int parse_weight(const char *text, apr_size_t len)
{
    int weight = 0;
    int scale = WEIGHT_ONE;
    apr_size_t i;

    if (len < 3 || (text[0] != 'q' && text[0] != 'Q') || text[1] != '=' || len > 7 ||
        (len > 3 && text[3] != '.')) {
        return -1;
    }
    for (i = 2; i < len; i++) {
        if (i == 3) {
            continue;
        }
        if (!apr_isdigit(text[i])) {
            return -1;
        }
        weight += (text[i] - '0') * scale;
        scale /= 10;
    }
    return weight <= WEIGHT_ONE ? weight : -1;
}

static apr_size_t trimmed(const char **from, const char *end)
{
    while (*from < end && (**from == ' ' || **from == '\t')) {
        (*from)++;
    }
    while (end > *from && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    return (apr_size_t)(end - *from);
}

/* One element of the header: a range and perhaps its weight. @return 0: it counts for nothing */
static int parse_range(range_t *range, const char *from, const char *end)
{
    const char *semicolon = memchr(from, ';', (apr_size_t)(end - from));
    apr_size_t len = trimmed(&from, semicolon != NULL ? semicolon : end);

    take_tag(range, from, len);
    range->weight = WEIGHT_ONE;
    if (semicolon != NULL) {
        const char *weight = semicolon + 1;
        len = trimmed(&weight, end);
        range->weight = parse_weight(weight, len);
    }
    return range->tag[0] != '\0' && range->weight > 0;
}

static int parse_header(range_t ranges[RANGES_MAX], const char *text)
{
    int count = 0;
    const char *end;

    for (; count < RANGES_MAX && *text != '\0'; text = *end != '\0' ? end + 1 : end) {
        end = text + strcspn(text, ",");
        count += parse_range(&ranges[count], text, end);
    }
    return count;
}

/* The heaviest range first, those of one weight in their order. */
static const char *by_header(const oas_words_t *available, const char *text)
{
    range_t ranges[RANGES_MAX];
    int count = parse_header(ranges, text);
    const char *found = NULL;
    int best = 0;

    while (found == NULL && best >= 0) {
        int i;

        best = -1;
        for (i = 0; i < count; i++) {
            if (ranges[i].weight > 0 && (best < 0 || ranges[i].weight > ranges[best].weight)) {
                best = i;
            }
        }
        if (best >= 0) {
            found = look_up(available, ranges[best].tag);
            ranges[best].weight = 0;
        }
    }
    return found;
}

const char *oas_language_choose(const oas_words_t *available, const char *ui_locales,
                                const char *accept_language)
{
    const char *found = ui_locales != NULL ? by_ui_locales(available, ui_locales) : NULL;

    if (found == NULL && accept_language != NULL) {
        found = by_header(available, accept_language);
    }
    return found != NULL ? found : OAS_WORD(available, 0);
}
