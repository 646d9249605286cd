/* SPDX-License-Identifier: Apache-2.0 */
#include "json_plain.h"

#include <string.h>
#include "bytes.h"
#include "json_text.h"

#define DEPTH_MAX  8
#define NAME_SIZE  64 /* bytes of a member's name, with NUL */
#define DIGITS_MAX 18

typedef struct {
    const char *at, *end;
} reader_t;

static json_t *read_value(reader_t *in, int depth);

static void skip_space(reader_t *in)
{
    while (in->at < in->end &&
           (*in->at == ' ' || *in->at == '\n' || *in->at == '\t' || *in->at == '\r')) {
        in->at++;
    }
}

/* 1 when the next character, blanks aside, is `c`, which is behind then. */
static int take(reader_t *in, char c)
{
    skip_space(in);
    if (in->at == in->end || *in->at != c) {
        return 0;
    }
    in->at++;
    return 1;
}

/* What stands between two quotes, the first of which is behind; NULL when it is not plain. */
static const char *read_text(reader_t *in, size_t *len)
{
    const char *begin = in->at;

    *len = oas_json_plain_run(begin, (size_t)(in->end - begin));
    in->at += *len;
    if (in->at == in->end || *in->at++ != '"') {
        return NULL;
    }
    return oas_utf8_valid(begin, *len) ? begin : NULL;
}

static json_t *read_string(reader_t *in)
{
    size_t len;
    const char *text = read_text(in, &len);

    return text != NULL ? json_stringn_nocheck(text, len) : NULL;
}

static int is_digit(const reader_t *in)
{
    return in->at < in->end && *in->at >= '0' && *in->at <= '9';
}

static json_t *read_integer(reader_t *in)
{
    const char *begin = in->at;
    json_int_t value = 0;
    int negative = take(in, '-');
    const char *digits = in->at;

    while (is_digit(in) && in->at - digits < DIGITS_MAX) {
        value = value * 10 + (*in->at++ - '0');
    }
    if (in->at == digits || is_digit(in) || (*digits == '0' && in->at - begin > 1) ||
        (in->at < in->end && memchr(".eE", *in->at, 3) != NULL)) {
        return NULL;
    }
    return json_integer(negative ? -value : value);
}

static json_t *read_word(reader_t *in, const char *word, json_t *value)
{
    size_t len = strlen(word);

    if ((size_t)(in->end - in->at) < len || memcmp(in->at, word, len) != 0) {
        return NULL;
    }
    in->at += len;
    return value;
}

/* One member of an object. */
static int read_member(reader_t *in, json_t *object, int depth)
{
    char name[NAME_SIZE];
    size_t len;
    const char *text = take(in, '"') ? read_text(in, &len) : NULL;

    if (text == NULL || len >= sizeof(name)) {
        return 0;
    }
    memcpy(name, text, len);
    name[len] = '\0';
    /* takes the value, and refuses NULL */
    return take(in, ':') && json_object_get(object, name) == NULL &&
           json_object_set_new_nocheck(object, name, read_value(in, depth)) == 0;
}

static int read_element(reader_t *in, json_t *array, int depth)
{
    return json_array_append_new(array, read_value(in, depth)) == 0;
}

/* What stands between brackets, the first of which is behind, into `list`; NULL when not plain. */
static json_t *read_list(reader_t *in, json_t *list, char close, int depth,
                         int (*read)(reader_t *in, json_t *list, int depth))
{
    int good = list != NULL && depth < DEPTH_MAX;

    if (good && !take(in, close)) {
        do {
            good = read(in, list, depth + 1);
        } while (good && take(in, ','));
        good = good && take(in, close);
    }
    if (!good) {
        json_decref(list);
        return NULL;
    }
    return list;
}

static json_t *read_value(reader_t *in, int depth)
{
    skip_space(in);
    if (in->at == in->end) {
        return NULL;
    }
    switch (*in->at) {
    case '{':
        in->at++;
        return read_list(in, json_object(), '}', depth, read_member);
    case '[':
        in->at++;
        return read_list(in, json_array(), ']', depth, read_element);
    case '"':
        in->at++;
        return read_string(in);
    case 't':
        return read_word(in, "true", json_true());
    case 'f':
        return read_word(in, "false", json_false());
    case 'n':
        return read_word(in, "null", json_null());
    default:
        return read_integer(in);
    }
}

json_t *oas_json_plain(const char *text, size_t len)
{
    reader_t in = {text, text + len};
    json_t *json = NULL;

    skip_space(&in);
    if (in.at < in.end && (*in.at == '{' || *in.at == '[')) {
        json = read_value(&in, 0);
    }
    skip_space(&in);
    if (json != NULL && in.at < in.end) {
        json_decref(json);
        return NULL;
    }
    return json;
}
