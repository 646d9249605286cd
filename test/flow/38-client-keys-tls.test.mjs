// SPDX-License-Identifier: Apache-2.0
// Keys by https, from a server whose certificate a CA of the system has signed (lib/trust.mjs); where that cannot be
// made so, this is skipped.
import test from 'node:test';
import assert from 'node:assert/strict';
import { startInstance } from './lib/instance.mjs';
import { assertionForm, makeKey } from './lib/assertion.mjs';
import { KeyServer } from './lib/keyserver.mjs';
import { client, token } from './lib/oauth.mjs';
import { canTrust, makeTrust } from './lib/trust.mjs';

if (!canTrust) {
  test('keys by https', { skip: 'the CAs of the system cannot be replaced here' }, () => {});
} else {
  const key = makeKey('ES256', 'first');
  const trust = makeTrust();
  const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' };
  const serve = (options) => KeyServer.start((handler) => trust.make(handler, options));
  const [modern, ancient] = [await serve(), await serve(old)];
  for (const server of [modern, ancient]) server.publish('/keys', key.jwk);
  const keyed = (id, url) =>
    client(id, { type: 'machine', uri: [], extra: ['OAuth2ASClientAuth private_key_jwt', `OAuth2ASClientKeys ${url}`] }).replace(/OAuth2ASClientSecret .*\n/, '');
  const server = await startInstance({
    env: () => ({ OAS_WRAPPER: trust.wrapper }),
    conf:
      'OAuth2ASOutboundAllow 127.0.0.1 ::1\n' +
      keyed('trusted', modern.url('/keys', 'localhost', 'https')) +
      keyed('misnamed', modern.url('/keys', '127.0.0.1', 'https')) +
      keyed('ancient', ancient.url('/keys', 'localhost', 'https')),
  });
  trust.remove();
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
