/* SPDX-License-Identifier: Apache-2.0 */
#include "json_text.h"

#include <string.h>
#include "json.h"

#define TEXT_SIZE   1024 /* to begin with */
#define INTEGER_MAX 20   /* characters of -2^63 */
#define REAL_MAX    40   /* characters of any double with 17 digits */

static void grow(oas_json_text_t *text, apr_size_t more)
{
    apr_size_t size = text->size > 0 ? text->size : TEXT_SIZE;
    char *data;

    while (size < text->len + more) {
        size *= 2;
    }
    data = apr_palloc(text->pool, size);
    if (text->len > 0) {
        memcpy(data, text->data, text->len);
    }
    text->data = data;
    text->size = size;
}

/* The place for `more` bytes behind what is written. */
static inline char *reserve(oas_json_text_t *text, apr_size_t more)
{
    if (text->len + more > text->size) {
        grow(text, more);
    }
    return text->data + text->len;
}

void oas_json_put(oas_json_text_t *text, const char *data, apr_size_t len)
{
    memcpy(reserve(text, len), data, len);
    text->len += len;
}

void oas_json_put_char(oas_json_text_t *text, char c)
{
    *reserve(text, 1) = c;
    text->len++;
}

static int is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

/* 1 when each of eight characters is plain: none is below 0x20, a quote or a backslash. */
static int all_plain(apr_uint64_t word)
{
    const apr_uint64_t ones = ~APR_UINT64_C(0) / 255, tops = ones << 7;
    apr_uint64_t quotes = word ^ ones * '"', backslashes = word ^ ones * '\\';

    return ((((word - ones * 0x20) & ~word) | ((quotes - ones) & ~quotes) |
             ((backslashes - ones) & ~backslashes)) &
            tops) == 0;
}

apr_size_t oas_json_plain_run(const char *string, apr_size_t len)
{
    apr_size_t run = 0;
    apr_uint64_t word;

    for (; len - run >= sizeof(word); run += sizeof(word)) {
        memcpy(&word, string + run, sizeof(word));
        if (!all_plain(word)) {
            break;
        }
    }
    while (run < len && is_plain((unsigned char)string[run])) {
        run++;
    }
    return run;
}

/* One character that may not stand in a string as it is (RFC 8259 section 7). */
static void put_escaped(oas_json_text_t *text, unsigned char c)
{
    static const char short_names[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    static const char digits[] = "0123456789ABCDEF";
    char escape[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
    int i;

    for (i = 0; short_names[i] != '\0'; i += 2) {
        if ((unsigned char)short_names[i] == c) {
            escape[1] = short_names[i + 1];
            oas_json_put(text, escape, 2);
            return;
        }
    }
    oas_json_put(text, escape, sizeof(escape));
}

void oas_json_put_string(oas_json_text_t *text, const char *string, apr_size_t len)
{
    apr_size_t at = 0;

    reserve(text, len + 2);
    oas_json_put_char(text, '"');
    while (at < len) {
        apr_size_t run = oas_json_plain_run(string + at, len - at);

        oas_json_put(text, string + at, run);
        at += run;
        if (at < len) {
            put_escaped(text, (unsigned char)string[at++]);
        }
    }
    oas_json_put_char(text, '"');
}

void oas_json_put_integer(oas_json_text_t *text, json_int_t number)
{
    char digits[INTEGER_MAX];
    char *p = digits + sizeof(digits);
    unsigned long long rest =
        number < 0 ? 0 - (unsigned long long)number : (unsigned long long)number;

    do {
        *--p = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) {
        *--p = '-';
    }
    oas_json_put(text, p, (apr_size_t)(digits + sizeof(digits) - p));
}

static void put_real(oas_json_text_t *text, const json_t *real)
{
    char digits[REAL_MAX];
    size_t len = json_dumpb(real, digits, sizeof(digits), JSON_ENCODE_ANY);

    text->failed |= len == 0 || len > sizeof(digits);
    if (!text->failed) {
        oas_json_put(text, digits, len);
    }
}

static void put_array(oas_json_text_t *text, const json_t *array)
{
    size_t i;

    oas_json_put_char(text, '[');
    for (i = 0; i < json_array_size(array); i++) {
        if (i > 0) {
            oas_json_put_char(text, ',');
        }
        oas_json_put_value(text, json_array_get(array, i));
    }
    oas_json_put_char(text, ']');
}

static void put_object(oas_json_text_t *text, json_t *object)
{
    void *member = json_object_iter(object);
    const char *before = "";

    oas_json_put_char(text, '{');
    for (; member != NULL; member = json_object_iter_next(object, member)) {
        const char *name = json_object_iter_key(member);

        oas_json_put(text, before, strlen(before));
        oas_json_put_string(text, name, strlen(name));
        oas_json_put_char(text, ':');
        oas_json_put_value(text, json_object_iter_value(member));
        before = ",";
    }
    oas_json_put_char(text, '}');
}

void oas_json_put_value(oas_json_text_t *text, const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        put_object(text, (json_t *)json);
        break;
    case JSON_ARRAY:
        put_array(text, json);
        break;
    case JSON_STRING:
        oas_json_put_string(text, json_string_value(json), json_string_length(json));
        break;
    case JSON_INTEGER:
        oas_json_put_integer(text, json_integer_value(json));
        break;
    case JSON_REAL:
        put_real(text, json);
        break;
    case JSON_TRUE:
        oas_json_put(text, "true", 4);
        break;
    case JSON_FALSE:
        oas_json_put(text, "false", 5);
        break;
    case JSON_NULL:
        oas_json_put(text, "null", 4);
        break;
    }
}

char *oas_json_text_end(oas_json_text_t *text)
{
    oas_json_put_char(text, '\0');
    return text->failed ? NULL : text->data;
}

/* jansson's own writer looks for loops, which cannot be here, and calls back for each few bytes:
 * ten times the work of all of this. */
char *oas_json_text(apr_pool_t *pool, const json_t *json)
{
    oas_json_text_t text = {.pool = pool};

    if (!json_is_object(json) && !json_is_array(json)) {
        return NULL;
    }
    oas_json_put_value(&text, json);
    return oas_json_text_end(&text);
}
