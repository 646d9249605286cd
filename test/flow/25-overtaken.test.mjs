// SPDX-License-Identifier: Apache-2.0
// A password is right when it is checked, and changed, or its user locked, before the session or the grant is
// written: nothing comes of that login, whichever of the two the database takes first.
import test from 'node:test';
import assert from 'node:assert/strict';
import { startInstance, until } from './lib/instance.mjs';
import { Surfer, textOf } from './lib/surfer.mjs';
import { assertError, authorization, authorizeUrl, client, refresh, secretOf, token, userinfo } from './lib/oauth.mjs';

const server = await startInstance({
  conf:
    'OAuth2ASProfile auth0\nOAuth2ASDatabaseTimeout 1min\n' + // who waits for a lock here does so for as long as it takes
    client('spa') +
    client('own', { type: 'web', extra: ['OAuth2ASFirstParty on', 'OAuth2ASGrantTypes authorization_code refresh_token password'] }),
});
const secret = { client_id: 'own', client_secret: secretOf('own') };
const bob = { username: 'bob', password: 'battery staple' };
const [[hash]] = await server.sql("SELECT password_hash FROM oas_users WHERE name = 'bob'");

const ways = {
  'at the login page': {
    async signIn() {
      const surfer = new Surfer(server);
      return surfer.submit(await surfer.go(authorizeUrl(server, authorization().params)), bob);
    },
    assertWrong(page) {
      assert.equal(page.status, 200);
      assert.match(textOf(page.text), /The user name or password is not right/);
    },
    async assertDead() {},
  },
  'by a password grant': {
    signIn: () => token(server, { grant_type: 'password', ...secret, ...bob, scope: 'openid offline_access' }),
    assertWrong: (answer) => assertError(answer, 403, 'invalid_grant'),
    async assertDead({ json }) {
      assert.equal((await userinfo(server, json.access_token)).status, 401);
      assertError(await refresh(server, json.refresh_token, secret), 403, 'invalid_grant');
    },
  },
};
const ends = { 'the password is changed': "SELECT oas_user_passwd_1('bob', '$y$another')", 'the user is locked': "SELECT oas_user_lock_1('bob', true)" };

/** Waits until so many connections wait for a lock, or the promise is settled. */
async function blocked(count, promise) {
  let settled = false;
  promise.finally(() => (settled = true)).catch(() => {});
  await until(`${count} wait for a lock`, async () => settled || (await server.count('pg_locks', 'NOT granted')) >= count);
}

async function assertNothingLives() {
  assert.equal(await server.count('oas_sessions', "sub = 'oauth2as|bob' AND ended_at IS NULL"), 0);
  assert.equal(await server.count('oas_grants', "sub = 'oauth2as|bob' AND revoked_at IS NULL"), 0);
}

/** Bob as he was, either known already or as if he had never signed in. */
async function reset(known) {
  await server.sql(`UPDATE oas_users SET password_hash = '${hash}', locked = false WHERE name = 'bob'`);
  if (known) assert.equal((await ways['by a password grant'].signIn()).status, 200);
  else await server.sql("DELETE FROM oas_subjects WHERE name = 'bob'");
}

for (const [way, { signIn, assertWrong, assertDead }] of Object.entries(ways)) {
  for (const [what, end] of Object.entries(ends)) {
    for (const known of [true, false]) {
      const who = known ? 'known already' : 'signing in for the first time';

      test(`${way}, ${who}: ${what} just before it is written`, async () => {
        await reset(known);
        const commit = await server.transaction(end);
        const answer = signIn();
        await blocked(1, answer);
        await commit();
        assertWrong(await answer);
        await assertNothingLives();
        assertWrong(await signIn());
      });

      test(`${way}, ${who}: ${what} while it is being written`, async () => {
        await reset(known);
        const commit = await server.transaction('LOCK TABLE oas_subjects IN SHARE MODE');
        const answer = signIn();
        await blocked(1, answer);
        const ending = server.sql(end);
        await blocked(2, ending);
        await commit();
        await ending;
        const last = await answer;
        await assertNothingLives();
        await assertDead(last);
      });
    }
  }
}
