// SPDX-License-Identifier: Apache-2.0
// Sealed forms: refused when altered, in another browser, session, client or step; and no page lets input
// become markup.
import test from 'node:test';
import assert from 'node:assert/strict';
import { startInstance } from './lib/instance.mjs';
import { Surfer, textOf } from './lib/surfer.mjs';
import { authorization, authorizeUrl, callbackOf, client, getCode } from './lib/oauth.mjs';

const server = await startInstance({
  conf: client('spa') + client('other') + client('own', { extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on'] }),
});
const user = { username: 'alice', password: 'correct horse' };

function open(surfer, overrides) {
  return surfer.go(authorizeUrl(server, authorization(overrides).params));
}

function assertForeign(answer) {
  assert.equal(answer.status, 400, textOf(answer.text));
  assert.equal(answer.location, null);
  assert.match(textOf(answer.text), /invalid_request/);
  assert.match(textOf(answer.text), /Reference/);
}

const alterations = {
  'a changed character': (sealed) => sealed.slice(0, 60) + (sealed[60] === 'A' ? 'B' : 'A') + sealed.slice(61),
  'the last character changed': (sealed) => sealed.slice(0, -2) + (sealed.at(-2) === 'A' ? 'B' : 'A') + sealed.at(-1),
  'a later expiry': (sealed) => sealed.replace(/^\d+/, (seconds) => String(Number(seconds) + 3600)),
  'no expiry': (sealed) => sealed.replace(/^\d+/, ''),
  'half of it': (sealed) => sealed.slice(0, sealed.length / 2),
  'nothing but the expiry': (sealed) => sealed.replace(/\..*/, '.'),
  'another text': () => 'x',
  'a megabyte less than that': () => 'A'.repeat(20_000),
};
for (const [what, alter] of Object.entries(alterations)) {
  test(`a login form with ${what} is refused`, async () => {
    const surfer = new Surfer(server);
    const page = await open(surfer);
    assertForeign(await surfer.submit(page, { ...user, interaction: alter(page.form.fields.interaction) }));
  });
}

test('a form of another browser is refused', async () => {
  const victim = new Surfer(server);
  await open(victim);
  const attacker = new Surfer(server);
  const page = await open(attacker);
  const answer = await victim.submit(page, user);
  assert.equal(answer.status, 200, 'the login page comes again');
  assert.equal(answer.form.fields.username, '', 'what was typed does not count');
  const silent = await victim.go(authorizeUrl(server, authorization({ prompt: 'none' }).params));
  assert.equal(callbackOf(silent).error, 'login_required', 'and nobody is signed in');
});

test('a consent form of another browser is refused', async () => {
  const victim = new Surfer(server);
  await getCode(server, { client_id: 'own' }, { surfer: victim });
  const attacker = new Surfer(server);
  const consent = await attacker.submit(await open(attacker), user);
  assertForeign(await victim.submit(consent, { decision: 'allow' }));
});

test('two tabs that a browser without our cookie opens at the same moment', async () => {
  const [one, two] = [new Surfer(server), new Surfer(server)];
  const [first, second] = await Promise.all([open(one, { client_id: 'other' }), open(two, { client_id: 'other' })]);
  one.jar = two.jar; // the later cookie replaced the earlier one
  const again = await one.submit(first, user);
  assert.ok('password' in again.form.fields, 'the first tab shows its login page once more');
  const consent = await one.submit(again, user);
  assert.ok(callbackOf(await one.submit(consent, { decision: 'allow' })).code);
  assert.ok(callbackOf(await two.submit(second, user)).code, 'and the second goes on where it was');
});

test('a form without the cookie says that cookies are off', async () => {
  const surfer = new Surfer(server);
  const page = await open(surfer);
  const answer = await new Surfer(server).submit(page, user);
  assert.equal(answer.status, 400);
  assert.match(textOf(answer.text), /cookie/i);
});

test('a form is refused for another client', async () => {
  const surfer = new Surfer(server);
  const page = await open(surfer);
  assertForeign(await surfer.submit(page, { ...user, client_id: 'other' }));
});

test('a login form is no consent form, and no resumption', async () => {
  const { surfer } = await getCode(server, { client_id: 'own' });
  const page = await open(surfer, { prompt: 'login' });
  for (const step of ['consent', 'resume', 'nonsense', '']) {
    assertForeign(await surfer.submit(page, { ...user, step, decision: 'allow' }));
  }
});

test('a consent form is refused in another session of the same browser', async () => {
  const surfer = new Surfer(server);
  const consent = await surfer.submit(await open(surfer), user);
  assert.ok(consent.form.buttons.some(({ name }) => name === 'decision'));
  await getCode(server, { client_id: 'own', prompt: 'login' }, { surfer, username: 'bob', password: 'battery staple' });
  assertForeign(await surfer.submit(consent, { decision: 'allow' }));
});

test('a consent form cannot be turned into an Allow by a link', async () => {
  const surfer = new Surfer(server);
  const consent = await surfer.submit(await open(surfer), user);
  const query = new URLSearchParams({ ...consent.form.fields, decision: 'allow' });
  assertForeign(await surfer.go(`${consent.form.action}?${query}`));
  assert.ok(callbackOf(await surfer.submit(consent, { decision: 'allow' })).code, 'the form itself still works');
});

test('parameters beside the sealed ones change nothing', async () => {
  const surfer = new Surfer(server);
  const { params } = authorization({ client_id: 'own' });
  const page = await surfer.go(authorizeUrl(server, params));
  const answer = await surfer.submit(page, {
    ...user,
    redirect_uri: 'https://evil.example/callback',
    state: 'planted',
    scope: 'openid read:items',
    code_challenge: 'A'.repeat(43),
  });
  const back = callbackOf(answer);
  assert.equal(answer.location.origin, 'https://app.example.test');
  assert.equal(back.state, params.state);
  assert.ok(back.code);
});

test('a form that was sent twice signs in twice and breaks nothing', async () => {
  const surfer = new Surfer(server);
  const page = await open(surfer, { client_id: 'own' });
  const codes = [callbackOf(await surfer.submit(page, user)).code, callbackOf(await surfer.submit(page, user)).code];
  assert.ok(codes[0] && codes[1]);
  assert.notEqual(codes[0], codes[1]);
});

const marks = ['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "'onmouseover='alert(1)", '{{#client}}{{client.name}}{{/client}}{{{t.login_heading}}}', '&lt;b&gt;', '\u202ereversed'];
for (const mark of marks) {
  test(`shown as text wherever it is shown: ${mark.slice(0, 30)}`, async () => {
    const surfer = new Surfer(server);
    const harmless = (page) => {
      assert.doesNotMatch(page.text, /<script>alert|<img src=x|value=''on|alert\(1\)>/);
      assert.ok(!page.text.includes(mark) || !/[<>"]/.test(mark), 'the mark stands unescaped in the page');
      return page;
    };
    const page = harmless(await open(surfer, { login_hint: mark, state: mark, nonce: mark }));
    assert.equal(page.form.fields.username, mark);
    const wrong = harmless(await surfer.submit(page, { username: mark, password: mark }));
    assert.equal(wrong.form.fields.username, mark);
    harmless(await open(surfer, { client_id: mark }));
    harmless(await open(surfer, { redirect_uri: mark }));
    const posted = harmless(await open(surfer, { response_mode: 'form_post', prompt: 'none', state: mark }));
    assert.equal(posted.form.fields.state, mark);
    const back = callbackOf(await surfer.through(await open(surfer, { state: mark })));
    assert.equal(back.state, mark);
  });
}
