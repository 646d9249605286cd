// SPDX-License-Identifier: Apache-2.0
// Refresh tokens of a public client with a certificate are good with that certificate only (RFC 8705 section 4);
// those of a confidential client go with its authentication, whatever certificate it has by then.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { startInstance } from './lib/instance.mjs';
import { assertError, client, decode, offline, refresh, secretOf, userinfo } from './lib/oauth.mjs';

const skip = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on', 'OAuth2ASRequire mtls'];
const certificates = {};

function makeCertificate(dir, name) {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${dir}/${name}.key`];
  execFileSync('openssl', ['req', '-x509', ...key, '-days', '2', '-subj', `/CN=${name}`, '-outform', 'DER', '-out', `${dir}/${name}.der`], { stdio: 'ignore' });
  return fs.readFileSync(`${dir}/${name}.der`);
}

const server = await startInstance({
  prepare: (dir) => {
    for (const name of ['one', 'other']) certificates[name] = makeCertificate(dir, name);
  },
  conf:
    'OAuth2ASTrustedCertificateHeader X-Cert 127.0.0.1 ::1\n' +
    client('device', { uri: 'https://app.example.test/callback', extra: [...skip, 'OAuth2ASRefreshReuseWindow until-used'] }) +
    client('backend', { type: 'web', extra: skip }),
});
const shown = (name) => ({ 'x-cert': `:${certificates[name].toString('base64')}:` });
const thumbprint = (name) => createHash('sha256').update(certificates[name]).digest('base64url');
const device = { client_id: 'device' };

test('a public client: with its certificate, and with no other', async () => {
  const first = await offline(server, device, {}, shown('one'));
  assert.deepEqual(decode(first.access_token).claims.cnf, { 'x5t#S256': thumbprint('one') });
  assertError(await refresh(server, first.refresh_token, device, shown('other')), 400, 'invalid_grant');
  assertError(await refresh(server, first.refresh_token, device), 401, 'invalid_client');
  const second = await refresh(server, first.refresh_token, device, shown('one'));
  assert.equal(second.status, 200, second.text);
  assert.deepEqual(decode(second.json.access_token).claims.cnf, { 'x5t#S256': thumbprint('one') });
  const again = await refresh(server, first.refresh_token, device, shown('one'));
  assert.equal(again.json.refresh_token, second.json.refresh_token, 'until-used is for bound clients, too');
  assertError(await refresh(server, first.refresh_token, device, shown('other')), 400, 'invalid_grant');
  assert.equal((await refresh(server, second.json.refresh_token, device, shown('one'))).status, 200, "a stranger's attempt ends nothing");
});

test('its access token at userinfo: with the certificate', async () => {
  const { access_token } = await offline(server, device, {}, shown('one'));
  assert.equal((await userinfo(server, access_token, { headers: shown('one') })).status, 200);
  assert.equal((await userinfo(server, access_token, { headers: shown('other') })).status, 401);
  assert.equal((await userinfo(server, access_token)).status, 401);
});

test('a confidential client may have changed its certificate', async () => {
  const backend = { client_id: 'backend', client_secret: secretOf('backend') };
  const first = await offline(server, { client_id: 'backend' }, backend, shown('one'));
  const second = await refresh(server, first.refresh_token, backend, shown('other'));
  assert.equal(second.status, 200, second.text);
  assert.deepEqual(decode(second.json.access_token).claims.cnf, { 'x5t#S256': thumbprint('other') });
});
