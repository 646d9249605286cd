/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "../lib/base/bytes.h"

static struct termios shown; /* how the terminal was */

/* Whoever gives up at the prompt gets a terminal that echoes again. */
static void give_up(int number)
{
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    signal(number, SIG_DFL);
    raise(number);
}

static const int deadly[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
#define DEADLY (sizeof(deadly) / sizeof(deadly[0]))

static void handle(void (*handler)(int))
{
    apr_size_t i;

    for (i = 0; i < DEADLY; i++)
        signal(deadly[i], handler);
}

/* One line without its end; read byte by byte, so that no copy stays in a stdio buffer. */
static int read_line(char *out, apr_size_t size)
{
    apr_size_t len = 0;

    for (;;) {
        char c;
        ssize_t n = read(STDIN_FILENO, &c, 1);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || (n == 0 && len == 0))
            return cli_fail(0, "nothing was entered");
        if (n == 0 || c == '\n')
            break;
        if (c == '\0')
            return cli_fail(0, "a zero byte was entered");
        if (len + 1 >= size)
            return cli_fail(0, "what was entered is longer than %d bytes", (int)size - 1);
        out[len++] = c;
    }
    if (len && out[len - 1] == '\r')
        len--;
    out[len] = '\0';
    return len ? 1 : cli_fail(0, "nothing was entered");
}

static int ask(const char *prompt, char *out, apr_size_t size)
{
    struct termios hidden;
    int read;

    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &shown) != 0)
        return read_line(out, size);
    fprintf(stderr, "%s: ", prompt);
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    handle(give_up);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    read = read_line(out, size);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    handle(SIG_DFL);
    fputc('\n', stderr);
    return read;
}

const char *cli_read_secret(apr_pool_t *pool, const char *prompt, int twice)
{
    char *first = apr_pcalloc(pool, CLI_PASSWORD_MAX + 1);
    char *again = apr_pcalloc(pool, CLI_PASSWORD_MAX + 1);

    oas_wipe_with_pool(pool, first, CLI_PASSWORD_MAX + 1);
    oas_wipe_with_pool(pool, again, CLI_PASSWORD_MAX + 1);
    if (!ask(prompt, first, CLI_PASSWORD_MAX + 1))
        return NULL;
    if (!oas_utf8_valid(first, strlen(first))) {
        cli_fail(0, "what was entered is not valid UTF-8");
        return NULL;
    }
    if (!twice || !isatty(STDIN_FILENO))
        return first;
    if (!ask("The same again", again, CLI_PASSWORD_MAX + 1))
        return NULL;
    if (!oas_equal_str(first, again)) {
        cli_fail(0, "the two differ; nothing was changed");
        return NULL;
    }
    return first;
}
