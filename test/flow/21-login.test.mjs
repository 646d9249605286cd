// SPDX-License-Identifier: Apache-2.0
// Signing in: by password, by session, again when asked to, and not too often.
import test from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance } from './lib/instance.mjs';
import { recipe } from './lib/recipe.mjs';
import { Surfer, textOf } from './lib/surfer.mjs';
import { authorization, authorizeUrl, callbackOf, client, decode, getCode, redeem } from './lib/oauth.mjs';

const server = await startInstance({
  conf:
    client('spa') +
    client('own', { extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] }) +
    recipe('builtin') +
    'OAuth2ASThrottle pair=3 account=50 address=1000 max=15min\n',
});
const wrongWords = /The user name or password is not right/;

async function loginPage(surfer, overrides) {
  return surfer.go(authorizeUrl(server, authorization(overrides).params));
}

async function idToken(got) {
  const answer = await redeem(server, got);
  assert.equal(answer.status, 200, answer.text);
  return decode(answer.json.id_token).claims;
}

test('a user signs in, allows, and the application gets a code', async () => {
  const got = await getCode(server);
  assert.ok(got.code);
  assert.equal(got.state, got.params.state);
  assert.equal(got.iss, server.issuer);
  const claims = await idToken(got);
  assert.equal(claims.sub, 'oauth2as|alice');
  assert.equal(claims.aud, 'spa');
  assert.equal(claims.nonce, got.params.nonce);
  assert.deepEqual(claims.amr, ['pwd']);
  assert.ok(claims.sid);
});

test('a wrong password and an unknown user read the same', async () => {
  const texts = [];
  for (const username of ['alice', 'nobody-here']) {
    const surfer = new Surfer(server);
    const page = await surfer.submit(await loginPage(surfer), { username, password: 'wrong' });
    assert.equal(page.status, 200);
    assert.equal(page.form.fields.username, username, 'the name stays in the form');
    assert.equal(page.form.fields.password, '', 'the password does not');
    assert.match(textOf(page.text), wrongWords);
    texts.push(textOf(page.text));
  }
  assert.equal(texts[0], texts[1]);
});

test('the way to a new password is on the page, and still there after a wrong one', async () => {
  const link = '<a href="https://people.example.com/password">Forgot password?</a>';
  const surfer = new Surfer(server);
  const page = await loginPage(surfer);
  assert.ok(page.text.includes(link), page.text);
  const again = await surfer.submit(page, { username: 'nobody-here', password: 'wrong' });
  assert.match(textOf(again.text), wrongWords);
  assert.ok(again.text.includes(link));
  assert.ok(!page.text.includes('Create an account'), 'no link that nobody configured');
});

test('after a wrong password the right one goes on', async () => {
  const surfer = new Surfer(server);
  const again = await surfer.submit(await loginPage(surfer, { client_id: 'own' }), { username: 'bob', password: 'wrong' });
  const answer = await surfer.submit(again, { username: 'bob', password: 'battery staple' });
  assert.ok(callbackOf(answer).code);
});

test('an empty password or name is wrong, and nothing worse', async () => {
  for (const fields of [{ username: 'alice', password: '' }, { username: '', password: 'x' }, { username: '', password: '' }]) {
    const surfer = new Surfer(server);
    const page = await surfer.submit(await loginPage(surfer), fields);
    assert.equal(page.status, 200);
    assert.match(textOf(page.text), wrongWords);
  }
});

test('the name is folded to one case: Alice is alice', async () => {
  const got = await getCode(server, { client_id: 'own' }, { username: 'ALICE' });
  assert.equal((await idToken(got)).sub, 'oauth2as|alice');
});

test('the second request goes by the session: no form, same sid and auth_time', async () => {
  const first = await getCode(server, { client_id: 'own' });
  const answer = await first.surfer.go(authorizeUrl(server, authorization({ client_id: 'own' }).params));
  assert.ok(callbackOf(answer).code, 'no page in between');
  const second = await getCode(server, { client_id: 'own' }, { surfer: first.surfer });
  const [a, b] = [await idToken(first), await idToken(second)];
  assert.equal(a.sid, b.sid);
  assert.equal(a.auth_time, b.auth_time);
});

test('prompt=none succeeds by the session', async () => {
  const { surfer } = await getCode(server, { client_id: 'own' });
  const answer = await surfer.send(authorizeUrl(server, authorization({ client_id: 'own', prompt: 'none' }).params));
  assert.ok(callbackOf(answer).code);
});

test('prompt=login asks again, and the login made then is enough', async () => {
  const first = await getCode(server, { client_id: 'own' });
  const before = await idToken(first);
  await sleep(1100);
  const page = await first.surfer.go(authorizeUrl(server, authorization({ client_id: 'own', prompt: 'login' }).params));
  assert.ok('password' in page.form.fields);
  const got = await getCode(server, { client_id: 'own', prompt: 'login' }, { surfer: first.surfer });
  assert.ok((await idToken(got)).auth_time > before.auth_time);
});

test('prompt=login is enough for a consent page behind it too', async () => {
  const got = await getCode(server, { prompt: 'login consent' });
  assert.ok(got.code);
});

test('max_age asks again once the login is older', async () => {
  const first = await getCode(server, { client_id: 'own' });
  const fresh = await first.surfer.go(authorizeUrl(server, authorization({ client_id: 'own', max_age: '3600' }).params));
  assert.ok(callbackOf(fresh).code);
  await sleep(2100);
  const begun = Math.floor(Date.now() / 1000);
  const old = await first.surfer.go(authorizeUrl(server, authorization({ client_id: 'own', max_age: '1' }).params));
  assert.ok('password' in old.form.fields);
  const silent = await first.surfer.go(authorizeUrl(server, authorization({ client_id: 'own', max_age: '1', prompt: 'none' }).params));
  assert.equal(callbackOf(silent).error, 'login_required');
  const zero = await getCode(server, { client_id: 'own', max_age: '0' }, { surfer: first.surfer });
  const claims = await idToken(zero);
  assert.ok(claims.auth_time >= begun, 'the login of just now');
});

test('a login changes the session handle and leaves the browser binding', async () => {
  const surfer = new Surfer(server);
  const page = await loginPage(surfer, { client_id: 'own' });
  const [name, before] = [...surfer.jar.get(new URL(server.issuer).origin)][0];
  assert.match(page.cookies[0], /; HttpOnly/);
  assert.match(page.cookies[0], /; SameSite=Lax/);
  assert.doesNotMatch(page.cookies[0], /Max-Age|Expires/i, 'a closed browser forgets it');
  const answer = await surfer.through(page);
  assert.equal(answer.cookies.filter((line) => /Max-Age|Expires/i.test(line) && !line.includes('-known=')).length, 0);
  const after = surfer.jar.get(new URL(server.issuer).origin).get(name);
  assert.match(name, /^oas-/);
  assert.ok(after.startsWith(`${before}.`));
  await getCode(server, { client_id: 'own', prompt: 'login' }, { surfer });
  assert.notEqual(surfer.jar.get(new URL(server.issuer).origin).get(name), after);
});

test('nobody stays signed in where it is not offered', async () => {
  const surfer = new Surfer(server);
  const page = await loginPage(surfer, { client_id: 'own' });
  assert.doesNotMatch(page.text, /name="keep"/);
  const answer = await surfer.submit(page, { username: 'alice', password: 'correct horse', keep: 'on' });
  assert.ok(callbackOf(answer).code);
  assert.doesNotMatch(answer.cookies.find((line) => line.includes('.')), /Max-Age/);
});

test('a handle that was replaced by a new login signs nobody in', async () => {
  const { surfer } = await getCode(server, { client_id: 'own' });
  const old = surfer.clone();
  await getCode(server, { client_id: 'own', prompt: 'login' }, { surfer });
  const answer = await old.go(authorizeUrl(server, authorization({ client_id: 'own', prompt: 'none' }).params));
  assert.equal(callbackOf(answer).error, 'login_required');
});

test('an invented session signs nobody in', async () => {
  const { surfer } = await getCode(server, { client_id: 'own' });
  const cookies = surfer.jar.get(new URL(server.issuer).origin);
  for (const [name, value] of cookies) cookies.set(name, value.slice(0, -4) + (value.endsWith('AAAA') ? 'BBBA' : 'AAAA'));
  const answer = await surfer.go(authorizeUrl(server, authorization({ client_id: 'own', prompt: 'none' }).params));
  assert.equal(callbackOf(answer).error, 'login_required');
});

test('two tabs at once do not disturb each other', async () => {
  const surfer = new Surfer(server);
  const one = authorization({ client_id: 'own', prompt: 'login' });
  const two = authorization({ client_id: 'spa', prompt: 'login' });
  const pageOne = await surfer.go(authorizeUrl(server, one.params));
  const pageTwo = await surfer.go(authorizeUrl(server, two.params));
  const backTwo = callbackOf(await surfer.through(pageTwo));
  const backOne = callbackOf(await surfer.through(pageOne));
  assert.equal(backOne.state, one.params.state);
  assert.equal(backTwo.state, two.params.state);
  assert.ok(backOne.code && backTwo.code);
});

test('too many failures: 429 with the time to wait, for the right password as well; others go on', async () => {
  const surfer = new Surfer(server);
  let page = await loginPage(surfer, { client_id: 'own' });
  let status = 200;
  for (let tries = 0; tries < 12 && status === 200; tries++) {
    const answer = await surfer.submit(page, { username: 'carol', password: 'wrong' });
    status = answer.status;
    if (status === 200) page = answer;
    else {
      assert.ok(tries >= 3, `after ${tries} failures`);
      assert.equal(status, 429);
      assert.ok(Number(answer.headers['retry-after']) >= 1);
      assert.match(textOf(answer.text), /too many attempts/i);
      assert.match(textOf(answer.text), /try again in \d+ seconds/);
    }
  }
  assert.equal(status, 429);
  // the wait goes on for longer than the rest takes
  await server.sql("UPDATE oas_throttle SET waiting_until = waiting_until + interval '9 minutes' WHERE waiting_until IS NOT NULL");
  const took = [];
  for (let tries = 0; tries < 5; tries++) {
    const started = Date.now();
    const right = await surfer.submit(page, { username: 'carol', password: 'right' });
    took.push(Date.now() - started);
    assert.equal(right.status, 429);
  }
  assert.ok(Math.min(...took) < 1500, `nobody sleeps: ${took} ms`);
  assert.ok((await getCode(server, { client_id: 'own' }, { username: 'bob', password: 'battery staple' })).code);
});

test('a throttled user signs in after the wait', async () => {
  const surfer = new Surfer(server);
  const page = await loginPage(surfer, { client_id: 'own' });
  let answer;
  do answer = await surfer.submit(page, { username: 'bob', password: 'wrong' });
  while (answer.status === 200);
  assert.equal(answer.status, 429);
  await sleep(Number(answer.headers['retry-after']) * 1000 + 200);
  assert.ok(callbackOf(await surfer.submit(page, { username: 'bob', password: 'battery staple' })).code);
});
