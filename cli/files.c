/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept in files: secrets; and the hash of a client's secret. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <apr_strings.h>
#include "../lib/base/bytes.h"
#include "../lib/base/secret.h"

/* 1 when all bytes are safely on the disk. */
static int write_all(int fd, const char *data, apr_size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno != EINTR)
            return 0;
        if (n > 0) {
            data += n;
            len -= (apr_size_t)n;
        }
    }
    return fsync(fd) == 0;
}

int cli_write_private(const char *path, const char *data, apr_size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    char why[120];
    int written, error = errno;

    if (fd < 0 && error == EEXIST)
        return cli_fail(CLI_FAILED, "%s is there already and is left as it is", path);
    if (fd < 0)
        return cli_fail(CLI_FAILED, "cannot make %s: %s", path,
                        apr_strerror(error, why, sizeof(why)));
    written = write_all(fd, data, len);
    error = errno;
    if (close(fd) == 0 && written)
        return CLI_DONE;
    unlink(path);
    return cli_fail(CLI_FAILED, "cannot write %s: %s", path, apr_strerror(error, why, sizeof(why)));
}

int cli_secret_generate(cli_t *cli)
{
    unsigned char secret[OAS_SECRET_MIN];
    const char *path;
    char *text;
    int code = cli_parse(cli, cli_no_options, &path, 1);

    if (code != CLI_DONE)
        return code;
    if (oas_random(secret, sizeof(secret)) != APR_SUCCESS)
        return cli_fail(CLI_FAILED, "the system gives no random bytes");
    text =
        apr_pstrcat(cli->pool, oas_base64url_encode(cli->pool, secret, sizeof(secret)), "\n", NULL);
    oas_wipe(secret, sizeof(secret));
    oas_wipe_with_pool(cli->pool, text, strlen(text));
    return cli_write_private(path, text, strlen(text));
}

/* Shorter ones could be guessed from the hash. */
#define CLIENT_SECRET_MIN 16

int cli_client_hash_secret(cli_t *cli)
{
    unsigned char hash[OAS_SHA256_LEN];
    const char *secret;
    int code = cli_parse(cli, cli_no_options, NULL, 0);

    if (code != CLI_DONE)
        return code;
    secret = cli_read_secret(cli->pool, "Client secret", 1);
    if (!secret)
        return CLI_FAILED;
    if (strlen(secret) < CLIENT_SECRET_MIN)
        return cli_fail(
            CLI_FAILED,
            "a client secret has at least %d characters, so that nobody guesses it from "
            "its hash; make one with: openssl rand -hex 32",
            CLIENT_SECRET_MIN);
    oas_sha256(secret, strlen(secret), hash);
    printf("sha256:%s\n", oas_hex_encode(cli->pool, hash, sizeof(hash)));
    return CLI_DONE;
}
