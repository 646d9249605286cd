// SPDX-License-Identifier: Apache-2.0
// The session of a browser: whose it is, how long it lasts, what a browser that is closed keeps of it, and that no
// cookie which somebody planted ever becomes one.
import test from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance } from './lib/instance.mjs';
import { Surfer } from './lib/surfer.mjs';
import { authorization, authorizeUrl, callbackOf, client, decode, getCode, redeem } from './lib/oauth.mjs';

const own = (id) => client(id, { extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] });
const lifetimes = (session, idle) => `OAuth2ASLifetime session ${session}s\nOAuth2ASLifetime session-idle ${idle}s\n`;
const LONG = 3600;
const server = await startInstance({ conf: `${own('own')}${own('second')}OAuth2ASKeepSignedIn on\n${lifetimes(LONG, LONG)}` });
const { origin } = new URL(server.issuer);
const bob = { username: 'bob', password: 'battery staple' };

const cookieOf = (surfer) => [...surfer.jar.get(origin)][0];
const plant = (surfer, [name, value]) => surfer.jar.set(origin, new Map([[name, value]]));
const handleOf = (surfer) => cookieOf(surfer)[1].split('.')[1];
const claimsOf = async (got) => decode((await redeem(server, got)).json.id_token).claims;
const loginPage = (surfer, overrides) => surfer.go(authorizeUrl(server, authorization({ client_id: 'own', ...overrides }).params));

/** What prompt=none says: the code, or the error. */
async function silent(surfer, overrides) {
  const { code, error } = callbackOf(await surfer.go(authorizeUrl(server, authorization({ client_id: 'own', prompt: 'none', ...overrides }).params)));
  return code ? 'signed in' : error;
}

const lineOf = (answer) => answer.cookies.find((line) => line.includes('SameSite=Lax'));
const sessionId = (sid) => Buffer.from(sid, 'base64url').toString('hex');

test('a cookie that was planted before the login is worth nothing after it', async () => {
  const attacker = new Surfer(server);
  await loginPage(attacker);
  const planted = cookieOf(attacker);
  const victim = new Surfer(server);
  plant(victim, planted);
  await getCode(server, { client_id: 'own' }, { surfer: victim });
  assert.ok(handleOf(victim));
  assert.equal(await silent(victim), 'signed in');
  assert.equal(await silent(attacker), 'login_required');
});

test('the session of somebody else that was planted ends, and does not become the victim\'s', async () => {
  const attacker = new Surfer(server);
  const before = await claimsOf(await getCode(server, { client_id: 'own' }, { surfer: attacker, ...bob }));
  const victim = new Surfer(server);
  plant(victim, cookieOf(attacker));
  const after = await claimsOf(await getCode(server, { client_id: 'own', prompt: 'login' }, { surfer: victim }));
  assert.notEqual(after.sub, before.sub);
  assert.notEqual(after.sid, before.sid);
  assert.notEqual(handleOf(victim), handleOf(attacker));
  assert.equal(await silent(attacker), 'login_required');
  assert.equal(await silent(victim), 'signed in');
});

test('a planted session of the same user goes on for the browser that has the password only', async () => {
  const thief = new Surfer(server);
  const before = await claimsOf(await getCode(server, { client_id: 'own' }, { surfer: thief }));
  const owner = thief.clone();
  const after = await claimsOf(await getCode(server, { client_id: 'own', prompt: 'login' }, { surfer: owner }));
  assert.equal(after.sid, before.sid, 'one sid for all applications of this browser');
  assert.equal(await silent(thief), 'login_required');
});

test('an id that was made up is not taken over', async () => {
  const surfer = new Surfer(server);
  await loginPage(surfer);
  const [name, binding] = cookieOf(surfer);
  const made = Buffer.alloc(48, 7).toString('base64url');
  plant(surfer, [name, `${binding}.${made}`]);
  const { sid } = await claimsOf(await getCode(server, { client_id: 'own' }, { surfer }));
  assert.notEqual(sid, made.slice(0, 22));
  assert.notEqual(handleOf(surfer), made);
  assert.equal(await server.count('oas_sessions', `session_id = '${Buffer.alloc(16, 7).toString('hex')}'`), 0);
});

test('a session that has ended is not woken up by a login with its cookie', async () => {
  const surfer = new Surfer(server);
  const before = await claimsOf(await getCode(server, { client_id: 'own' }, { surfer }));
  await server.sql(`UPDATE oas_sessions SET ended_at = clock_timestamp() WHERE session_id = '${sessionId(before.sid)}'`);
  assert.equal(await silent(surfer), 'login_required');
  const after = await claimsOf(await getCode(server, { client_id: 'own' }, { surfer }));
  assert.notEqual(after.sid, before.sid);
});

test('several applications have one session', async () => {
  const surfer = new Surfer(server);
  const one = await claimsOf(await getCode(server, { client_id: 'own' }, { surfer }));
  const two = await claimsOf(await getCode(server, { client_id: 'second' }, { surfer }));
  assert.equal(two.sid, one.sid);
  assert.equal(two.auth_time, one.auth_time);
  const other = await claimsOf(await getCode(server, { client_id: 'second' }));
  assert.notEqual(other.sid, one.sid, 'another browser has another one');
});

test('the box is offered and not ticked; without it the browser forgets the session when it is closed', async () => {
  const surfer = new Surfer(server);
  const page = await loginPage(surfer);
  const box = /<input[^>]*name="keep"[^>]*>/.exec(page.text)[0];
  assert.match(box, /type="checkbox"/);
  assert.doesNotMatch(box, / checked/);
  const answer = await surfer.through(page);
  assert.ok(callbackOf(answer).code);
  assert.doesNotMatch(lineOf(answer), /Max-Age|Expires/i);
});

test('with it the cookie lasts as long as the session, and a wrong password leaves the tick', async () => {
  const surfer = new Surfer(server);
  const again = await surfer.submit(await loginPage(surfer), { username: 'alice', password: 'wrong', keep: 'on' });
  assert.match(/<input[^>]*name="keep"[^>]*>/.exec(again.text)[0], / checked/);
  assert.doesNotMatch(lineOf(again) ?? '', /Max-Age/);
  const answer = await surfer.submit(again, { username: 'alice', password: 'correct horse' });
  assert.match(lineOf(answer), new RegExp(`; Max-Age=${LONG}; `));
  assert.match(lineOf(answer), /; HttpOnly; SameSite=Lax/);
  assert.equal(await silent(surfer), 'signed in');
});

test('use does not renew the cookie', async () => {
  const surfer = new Surfer(server);
  await surfer.submit(await loginPage(surfer), { username: 'alice', password: 'correct horse', keep: 'on' });
  const answer = await surfer.go(authorizeUrl(server, authorization({ client_id: 'own' }).params));
  assert.ok(callbackOf(answer).code);
  assert.deepEqual(answer.cookies, []);
});

// ---- how long it lasts, in a few seconds ----

const [LIFETIME, IDLE] = [9, 5];
const milliseconds = (seconds) => 1000 * seconds;

/** Repeats what returns false because the machine was too slow to tell: the session may have ended before it was asked for. */
async function fastEnough(attempt) {
  for (let tries = 1; !(await attempt()); tries++) assert.ok(tries < 8, 'the machine is too slow to tell');
}

test('a session that nobody uses ends', async () => {
  await server.reload({ 'test.conf': (text) => text.replace(lifetimes(LONG, LONG), lifetimes(LIFETIME, IDLE)) });
  await fastEnough(async () => {
    const started = Date.now();
    const { surfer } = await getCode(server, { client_id: 'own' });
    await sleep(1000);
    const said = await silent(surfer);
    if (Date.now() - started >= milliseconds(IDLE)) return false;
    assert.equal(said, 'signed in');
    await sleep(milliseconds(IDLE) + 200);
    assert.equal(await silent(surfer), 'login_required');
    return true;
  });
});

test('use keeps a session alive, to its absolute end and no further', () =>
  fastEnough(async () => {
    const started = Date.now();
    const { surfer } = await getCode(server, { client_id: 'own' });
    const opened = Date.now(); // it began between the two, long before this on a busy machine
    let used = started;
    const idle = () => Date.now() - used >= milliseconds(IDLE);
    while (Date.now() - started < milliseconds(LIFETIME) - 1700) {
      await sleep(1500);
      const asked = Date.now();
      const said = await silent(surfer);
      if (idle() || Date.now() - started >= milliseconds(LIFETIME)) return false;
      assert.equal(said, 'signed in', `${asked - started} ms after it began`);
      used = asked;
    }
    await sleep(milliseconds(LIFETIME) - (Date.now() - opened) + 300);
    if (idle() || used - opened < milliseconds(IDLE)) return false;
    assert.equal(await silent(surfer), 'login_required');
    return true;
  }));
