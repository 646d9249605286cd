// SPDX-License-Identifier: Apache-2.0
// Too many wrong passwords: on two nodes with one database, from many addresses, and at the account of somebody whose
// own browser must not be locked out by that.
import test, { beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { startInstance } from './lib/instance.mjs';
import { Surfer, textOf, linkOf } from './lib/surfer.mjs';
import { authorization, authorizeUrl, callbackOf, client } from './lib/oauth.mjs';

const hash = (password) => execFileSync('openssl', ['passwd', '-apr1', password], { encoding: 'utf8' }).trim();
const server = await startInstance({
  prepare: (dir) => fs.writeFileSync(`${dir}/people`, `victim:${hash('word')}\nVictim:${hash('other word')}\n`),
  conf: `${client('own', { extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] })}
    OAuth2ASThrottle pair=3 account=8 address=20 max=2h
    RemoteIPHeader X-Forwarded-For
    RemoteIPInternalProxy 127.0.0.0/8
    OAuth2ASHelpLink forgot-password https://people.example.test/forgot
    OAuth2ASPasswordProvider oauth2as
    <Location "/authorize">
      AuthUserFile \${OAS_DIR}/people
    </Location>\n`,
});
const nodes = [server, { url: await server.neighbour() }];

beforeEach(() => server.sql('DELETE FROM oas_throttle'));

/** A browser at an address. */
class At extends Surfer {
  constructor(address) {
    super(server);
    this.address = address;
  }

  send(url, options = {}) {
    return super.send(url, { ...options, headers: { ...options.headers, 'x-forwarded-for': this.address } });
  }

  loginPage(node = server) {
    return this.go(authorizeUrl(node, authorization({ client_id: 'own', prompt: 'login' }).params));
  }

  /** Signs in with a fresh form of a node; the answer. */
  async signIn(username, password, node) {
    return this.submit(await this.loginPage(node), { username, password });
  }
}

const stranger = (number) => new At(`198.51.100.${number}`);
const wrong = (surfer, username, node) => surfer.signIn(username, 'wrong', node);
const right = (surfer) => surfer.signIn('alice', 'correct horse');
const signedIn = (answer) => assert.ok(callbackOf(answer).code);

function paused(answer) {
  assert.equal(answer.status, 429, textOf(answer.text));
  assert.ok(Number(answer.headers['retry-after']) >= 1);
  assert.match(textOf(answer.text), /try again in (about )?\d+ (seconds|minutes)/);
}

/** Fails `count` times, each time seen as wrong; whoever waits from then on waits for longer than the test takes. */
async function fail(count, attempt) {
  for (let i = 0; i < count; i++) {
    const answer = await attempt(i);
    assert.equal(answer.status, 200, `attempt ${i}: ${textOf(answer.text)}`);
  }
  await server.sql("UPDATE oas_throttle SET waiting_until = waiting_until + interval '9 minutes' WHERE waiting_until IS NOT NULL");
}

test('two nodes count together, and both make wait', async () => {
  const surfer = stranger(1);
  await fail(4, (i) => wrong(surfer, 'alice', nodes[i % 2]));
  for (const node of nodes) paused(await wrong(surfer, 'alice', node));
  for (const node of nodes) paused(await surfer.signIn('alice', 'correct horse', node));
  signedIn(await right(stranger(2)));
});

test('parallel attempts at two nodes are all counted', async () => {
  let took, free;
  for (let tries = 0; tries < 10; tries++) {
    await server.sql('DELETE FROM oas_throttle');
    const surfers = Array.from({ length: 12 }, () => stranger(3));
    const pages = await Promise.all(surfers.map((surfer, i) => surfer.loginPage(nodes[i % 2])));
    const begun = Date.now();
    const answers = await Promise.all(surfers.map((surfer, i) => surfer.submit(pages[i], { username: 'alice', password: 'wrong' })));
    took = Date.now() - begun;
    free = answers.filter(({ status }) => status === 200).length;
    answers.filter(({ status }) => status !== 200).forEach(paused);
    if (free <= 4 || took < 2000) break; // whoever came after the wait of two seconds was free again
  }
  assert.equal(free, 4, `three that are free, and the one that begins the wait; ${took} ms`);
});

test('an account that does not exist waits like one that does', async () => {
  const texts = [];
  for (const username of ['bob', 'nobody-here']) {
    const surfer = stranger(username === 'bob' ? 4 : 5);
    await fail(4, () => wrong(surfer, username));
    const answer = await wrong(surfer, username);
    paused(answer);
    const shown = answer.text.replace(/\b(state|nonce|code_challenge)=[\w-]+/g, '$1');
    texts.push(shown.replace(/\d+ (seconds|minutes)|<code>[\w-]+<\/code>/g, ''));
  }
  assert.equal(texts[0], texts[1]);
});

test('whoever waits can go on with the same request afterwards, or get a new password', async () => {
  const surfer = stranger(6);
  await fail(4, () => wrong(surfer, 'bob'));
  const page = await surfer.go(authorizeUrl(server, authorization({ client_id: 'own', state: 'kept' }).params));
  const answer = await surfer.submit(page, { username: 'bob', password: 'battery staple' });
  paused(answer);
  assert.equal(linkOf(answer, 'Forgot password?'), 'https://people.example.test/forgot');
  const again = linkOf(answer, 'Try again');
  assert.doesNotMatch(again, /bob|battery/);
  await server.sql('DELETE FROM oas_throttle');
  const back = callbackOf(await surfer.submit(await surfer.go(again), { username: 'bob', password: 'battery staple' }));
  assert.ok(back.code);
  assert.equal(back.state, 'kept');
});

test('strangers who try an account from everywhere do not lock its owner out', async () => {
  const home = stranger(10);
  signedIn(await right(home));
  await fail(9, (i) => wrong(stranger(20 + i), 'alice'));
  paused(await right(stranger(40)));
  paused(await right(stranger(41)));
  signedIn(await right(home));
  home.address = '203.0.113.77';
  signedIn(await right(home));
  const answer = await wrong(home, 'alice');
  assert.equal(answer.status, 200, 'one wrong password of the owner');
  signedIn(await right(home));
  paused(await right(stranger(42)));
});

test('a browser that is known guesses no more freely than others, nor for other accounts', async () => {
  const home = stranger(50);
  signedIn(await right(home));
  await fail(4, (i) => {
    home.address = `198.51.100.${60 + i}`; // another address is no other browser
    return wrong(home, 'alice');
  });
  paused(await right(home));
  signedIn(await right(stranger(51)));
  await fail(9, (i) => wrong(stranger(70 + i), 'bob'));
  paused(await home.signIn('bob', 'battery staple'));
});

test('what makes a browser known', async () => {
  const home = stranger(52);
  const line = (await right(home)).cookies.find((cookie) => /^oas-\w+-known=/.test(cookie));
  assert.match(line, /; Max-Age=15552000;/);
  assert.match(line, /; HttpOnly/);
  assert.match(line, /; SameSite=Lax/);
  assert.doesNotMatch(line, /alice/);
  const failed = await wrong(stranger(53), 'alice');
  assert.ok(!failed.cookies.some((cookie) => cookie.includes('-known=')), 'a failure does not');
});

test('one address, many accounts', async () => {
  const surfer = stranger(80);
  await fail(21, (i) => wrong(surfer, `user${i}`));
  paused(await right(surfer));
  signedIn(await right(stranger(81)));
});

/** Lets time go by for the counters. */
const passed = (minutes) =>
  server.sql(`UPDATE oas_throttle SET last_failure = last_failure - interval '${minutes} minutes', waiting_until = waiting_until - interval '${minutes} minutes'`);

test('an office behind one address: mistakes that go on all day make nobody wait', async () => {
  const office = stranger(82);
  await fail(20, (i) => wrong(stranger(82), `person${i}`)); // of all that are free, none is left
  for (let i = 0; i < 8; i++) { // one leaks in six minutes
    await passed(4);
    signedIn(await right(office));
    await passed(3);
    assert.equal((await wrong(stranger(82), `clerk${i}`)).status, 200);
  }
  assert.equal(await server.count('oas_throttle', 'failures > 19'), 0);
  assert.equal(await server.count('oas_throttle', 'waiting_until IS NOT NULL'), 0);
});

test('whoever guesses from the address of others makes strangers wait there, not browsers that are known', async () => {
  const home = stranger(83);
  signedIn(await right(home));
  await fail(21, (i) => wrong(stranger(83), `user${i}`));
  paused(await stranger(83).signIn('bob', 'battery staple'));
  assert.equal((await wrong(home, 'alice')).status, 200);
  signedIn(await right(home));
  paused(await home.signIn('bob', 'battery staple')); // not known for that one
});

test('who knew a password once and kept many known browsers guesses the next one no more often', async () => {
  const homes = Array.from({ length: 4 }, (_, i) => stranger(84 + i));
  for (const home of homes) signedIn(await right(home));
  await fail(9, (i) => wrong(homes[i % 4], 'alice'));
  for (const home of homes) paused(await right(home));
  signedIn(await right(stranger(90)));
});

test('IPv6: a /64 is one address', async () => {
  const from = (i) => new At(`2001:db8:0:1:${i}::1`);
  await fail(4, (i) => wrong(from(i), 'alice'));
  paused(await right(from(99)));
  signedIn(await right(new At('2001:db8:0:2::1')));
});

test('spellings of one name are one account', async () => {
  const spellings = ['alice', 'ALICE', 'ａlⓘce\u00a0', 'al ícé\t'];
  const surfer = stranger(90);
  await fail(4, (i) => wrong(surfer, spellings[i]));
  paused(await right(surfer));
});

const epoch = async (time) => Number((await server.sql(`SELECT extract(epoch FROM ${time})`))[0][0]);

test('the wait doubles, and ends at max', async () => {
  const surfer = stranger(100);
  await fail(3, () => wrong(surfer, 'alice'));
  for (const [failures, seconds] of [[4, 2], [5, 4], [6, 8], [12, 512], [16, 7200], [500, 7200]]) {
    await server.sql(`UPDATE oas_throttle SET failures = ${failures - 1}, waiting_until = NULL WHERE failures > 0`);
    await server.sql('DELETE FROM oas_throttle WHERE failures < 1');
    const before = await epoch('clock_timestamp()');
    assert.equal((await wrong(surfer, 'alice')).status, 200);
    const after = await epoch('clock_timestamp()');
    const until = await epoch('(SELECT max(waiting_until) FROM oas_throttle)');
    assert.ok(until - before >= seconds && until - after <= seconds, `${until - before} to ${until - after} seconds after ${failures} failures`);
    await server.sql("UPDATE oas_throttle SET waiting_until = waiting_until + interval '1 minute' WHERE waiting_until IS NOT NULL");
    const answer = await wrong(surfer, 'alice');
    paused(answer);
    const told = Number(answer.headers['retry-after']) - 60;
    assert.ok(told <= seconds && told > seconds / 2 - 15, `${told} seconds after ${failures} failures`);
  }
});

test('a provider that tells names apart: whoever has a name like another one gains nothing at that', async () => {
  const mine = (surfer) => surfer.signIn('Victim', 'other word');
  await server.reload({ 'test.conf': (text) => text.replace('Provider oauth2as', 'Provider file') });
  const surfer = stranger(110);
  await fail(4, async (i) => {
    const answer = await wrong(surfer, 'victim');
    if (i < 2) signedIn(await mine(new At(surfer.address)));
    return answer;
  });
  paused(await wrong(surfer, 'victim'));

  await server.sql('DELETE FROM oas_throttle');
  const known = stranger(111);
  signedIn(await mine(known));
  await fail(9, (i) => wrong(stranger(120 + i), 'victim'));
  paused(await wrong(known, 'victim'));
  signedIn(await mine(known));
});
