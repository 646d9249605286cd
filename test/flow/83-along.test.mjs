// SPDX-License-Identifier: Apache-2.0
// What left with a code by the front channel: when the code's redemption is undone, the access token that came along goes
// on; and after an outage the code counts as used when it was, not because something was issued along with it.
import test from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance, until } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { withProxy } from './lib/proxy.mjs';
import { Surfer } from './lib/surfer.mjs';
import { client, getCode, redeem, userinfo } from './lib/oauth.mjs';

const extra = ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on', 'OAuth2ASResponseTypes "code token" "code id_token token"'];
const [options, proxyOf] = withProxy({ nodes: 1, conf: `OAuth2ASProfile auth0\n${client('spa', { extra })}` });
const server = await startInstance(options);
const proxy = proxyOf();
const surfer = new Surfer(server);
const always = 11; // more often the node does not send a statement again that may be carried out once only
const lost = /OAS00[0-4]\d\d|OAS0065\d|OAS006[17]\d|OAS00716|OAS008[2-6]\d|OAS01141|AH006(?:29|3\d)|dbd/i;

const ask = (response_type, scope = 'openid profile') => getCode(server, { response_type, scope }, { surfer });
const grantOf = ({ code }) => Buffer.from(code, 'base64url').subarray(0, 16).toString('hex');
const isGood = async (jwt) => assert.equal((await userinfo(server, jwt)).status, 200);

for (const [type, scope] of [['code token'], ['code id_token token', 'openid offline_access']]) {
  test(`${type}: the redemption of which nobody could be told is undone, and the access token that came along is good all the while`, async () => {
    server.announce(lost, { maybe: true });
    const got = await ask(type, scope);
    await isGood(got.access_token);
    proxy.plan('oas_code_redeem', 'mute', always);
    assert.equal((await redeem(server, got)).status, 503);
    proxy.settled();
    await isGood(got.access_token);
    await until('it is undone', async () => (await server.count('oas_codes', `grant_id = '${grantOf(got)}' AND used_at IS NULL`)) === 1);
    await isGood(got.access_token);
    const { json } = await redeem(server, got);
    await isGood(json.access_token);
    await isGood(got.access_token);
    assert.equal((await redeem(server, got)).json.error, 'invalid_grant');
    assert.equal((await userinfo(server, got.access_token)).status, 401, 'a code used twice takes all along');
  });
}

test('after an outage a code that nobody used is redeemed, while one that was used is left to who may undo it', async () => {
  server.announce(lost, { maybe: true });
  const [used, unused] = [await ask('code token'), await ask('code token')];
  assert.equal((await redeem(server, used)).status, 200);
  await server.postgres('stop', 'fast');
  const since = Date.now();
  await until('the outage counts as one', async () => (await request(server.url('authorize', { client_id: 'x' }))).status === 503 && Date.now() - since > 2000);
  await server.postgres('start');
  let answer;
  while ((answer = await redeem(server, unused)).status === 503 && Date.now() - since < 30_000) await sleep(50);
  assert.equal(answer.status, 200, answer.text);
  assert.equal((await redeem(server, used)).status, 503, 'it is still so early that nobody is condemned');
  await isGood(used.access_token);
});
