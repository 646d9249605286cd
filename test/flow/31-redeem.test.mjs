// SPDX-License-Identifier: Apache-2.0
// One code, many at once: exactly one gets tokens.
import test from 'node:test';
import assert from 'node:assert/strict';
import { startInstance } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { client, getCode, redeem, userinfo } from './lib/oauth.mjs';

const parallel = 64;
const rounds = 5;
const server = await startInstance({
  conf: client('spa', { extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] }) + 'OAuth2ASDatabaseWait 30s\n',
});

for (let round = 1; round <= rounds; round++) {
  test(`${parallel} parallel redemptions, round ${round} of ${rounds}: one winner, and the replays revoked it`, async () => {
    const got = await getCode(server);
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: 'spa',
      code: got.code,
      redirect_uri: got.params.redirect_uri,
      code_verifier: got.verifier,
    }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answers = await Promise.all(
      Array.from({ length: parallel }, () => request(server.url('oauth/token'), { method: 'POST', headers, body })),
    );
    const statuses = answers.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [200, ...Array(parallel - 1).fill(400)]);
    for (const answer of answers.filter(({ status }) => status === 400)) assert.equal(answer.json.error, 'invalid_grant');
    const winner = answers.find(({ status }) => status === 200).json;
    assert.equal((await userinfo(server, winner.access_token)).status, 401);
    assert.equal(await server.count('oas_grants', "revoked_reason = 'code replayed'"), round);
  });
}

test('redemptions of different codes do not wait for each other', async () => {
  const codes = [];
  const { surfer } = await getCode(server);
  for (let i = 0; i < 20; i++) codes.push(await getCode(server, {}, { surfer })); // quickly: codes do not live long
  const answers = await Promise.all(codes.map((got) => redeem(server, got)));
  assert.deepEqual(answers.map(({ status }) => status), Array(20).fill(200));
});
