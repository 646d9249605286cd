// SPDX-License-Identifier: Apache-2.0
// Servers of https that httpd trusts: the system's CAs are replaced for one httpd, in a mount namespace of its own. That
// takes root, and no container that forbids it.
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { execFileSync, spawnSync } from 'node:child_process';

const bundle = spawnSync('curl-config', ['--ca'], { encoding: 'utf8' }).stdout?.trim();

/** 1 when it can be done here. */
export const canTrust = Boolean(bundle) && !process.env.OAS_WRAPPER && spawnSync('unshare', ['--mount', 'mount', '--bind', bundle, bundle]).status === 0;

/**
 * A CA of the system to be, with a certificate for localhost.
 * @returns `wrapper` starts a program that trusts it, `make` makes a server with the certificate; `remove` ends it,
 * once httpd has started
 */
export function makeTrust() {
  const home = fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'oas-ca-'));
  fs.chmodSync(home, 0o755);
  const openssl = (...args) => execFileSync('openssl', args, { cwd: home, stdio: ['ignore', 'ignore', 'ignore'] });
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...ec, '-days', '2', '-subj', '/CN=CA of the system', '-keyout', 'ca.key', '-out', 'ca.pem');
  openssl('req', '-new', ...ec, '-subj', '/CN=keys', '-addext', 'subjectAltName=DNS:localhost', '-keyout', 'key.pem', '-out', 'csr.pem');
  openssl('x509', '-req', '-in', 'csr.pem', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-copy_extensions', 'copy', '-out', 'cert.pem');
  fs.writeFileSync(path.join(home, 'trust'), `#!/bin/sh\nmount --bind ${home}/ca.pem ${bundle} && exec "$@"\n`, { mode: 0o755 });
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => fs.readFileSync(path.join(home, name)));
  return {
    wrapper: `unshare --mount ${home}/trust`,
    make: (handler, options = {}) => https.createServer({ key, cert, ...options }, handler),
    remove: () => fs.rmSync(home, { recursive: true }),
  };
}
