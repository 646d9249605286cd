// SPDX-License-Identifier: Apache-2.0
// Keys by https, from a server whose certificate a CA of the system has signed. The system's CAs are replaced for this
// one httpd, in a mount namespace of its own; where that is not allowed (no root, a container), this is skipped.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { execFileSync, spawnSync } from 'node:child_process';
import { startInstance } from './lib/instance.mjs';
import { assertionForm, makeKey } from './lib/assertion.mjs';
import { KeyServer } from './lib/keyserver.mjs';
import { client, token } from './lib/oauth.mjs';

const bundle = spawnSync('curl-config', ['--ca'], { encoding: 'utf8' }).stdout?.trim();
const possible = bundle && !process.env.OAS_WRAPPER && spawnSync('unshare', ['--mount', 'mount', '--bind', bundle, bundle]).status === 0;

if (!possible) {
  test('keys by https', { skip: 'the CAs of the system cannot be replaced here' }, () => {});
} else {
  const key = makeKey('ES256', 'first');
  const home = fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'oas-ca-'));
  fs.chmodSync(home, 0o755);
  const openssl = (...args) => execFileSync('openssl', args, { cwd: home, stdio: ['ignore', 'ignore', 'ignore'] });
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...ec, '-days', '2', '-subj', '/CN=CA of the system', '-keyout', 'ca.key', '-out', 'ca.pem');
  openssl('req', '-new', ...ec, '-subj', '/CN=keys', '-addext', 'subjectAltName=DNS:localhost', '-keyout', 'key.pem', '-out', 'csr.pem');
  openssl('x509', '-req', '-in', 'csr.pem', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-copy_extensions', 'copy', '-out', 'cert.pem');
  fs.writeFileSync(path.join(home, 'trust'), `#!/bin/sh\nmount --bind ${home}/ca.pem ${bundle} && exec "$@"\n`, { mode: 0o755 });
  const read = (name) => fs.readFileSync(path.join(home, name));
  const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' };
  const serve = (options) => KeyServer.start((handler) => https.createServer({ key: read('key.pem'), cert: read('cert.pem'), ...options }, handler));
  const [modern, ancient] = [await serve(), await serve(old)];
  for (const server of [modern, ancient]) server.publish('/keys', key.jwk);
  const keyed = (id, url) =>
    client(id, { type: 'machine', uri: [], extra: ['OAuth2ASClientAuth private_key_jwt', `OAuth2ASClientKeys ${url}`] }).replace(/OAuth2ASClientSecret .*\n/, '');
  const server = await startInstance({
    env: () => ({ OAS_WRAPPER: `unshare --mount ${home}/trust` }),
    conf:
      'OAuth2ASOutboundAllow 127.0.0.1 ::1\n' +
      keyed('trusted', modern.url('/keys', 'localhost', 'https')) +
      keyed('misnamed', modern.url('/keys', '127.0.0.1', 'https')) +
      keyed('ancient', ancient.url('/keys', 'localhost', 'https')),
  });
  fs.rmSync(home, { recursive: true });
  const ask = (id) => token(server, { grant_type: 'client_credentials', resource: 'https://api.example.test/', ...assertionForm(server, id, key) });

  test('a certificate for the name, by a CA of the system', async () => {
    const answer = await ask('trusted');
    assert.equal(answer.status, 200, answer.text);
    assert.ok(modern.count('/keys') >= 1);
  });

  test('a certificate for another name, and a protocol of long ago', async () => {
    const before = modern.count('/keys');
    server.announce(/OAS00687.*SSL.*client=misnamed/);
    server.announce(/OAS00687.*SSL.*client=ancient/);
    for (const id of ['misnamed', 'ancient']) assert.equal((await ask(id)).status, 503);
    assert.equal(modern.count('/keys'), before);
    assert.equal(ancient.count('/keys'), 0);
  });
}
