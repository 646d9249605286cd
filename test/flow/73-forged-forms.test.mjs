// SPDX-License-Identifier: Apache-2.0
// The form of each step, wherever it does not belong: at other endpoints, as another step, in other browsers, sessions,
// for other clients and issuers, put together from several, altered, late. And what another site makes a browser send.
import test from 'node:test';
import assert from 'node:assert/strict';
import { withClock } from './lib/clock.mjs';
import { startInstance } from './lib/instance.mjs';
import { afterUri, isSignedIn, own, signedIn } from './lib/logout.mjs';
import { authorization, authorizeUrl, callbackOf, client, decode, getCode, offline, refresh } from './lib/oauth.mjs';
import { Surfer, textOf } from './lib/surfer.mjs';

const out = `OAuth2ASPostLogoutRedirectURI ${afterUri}`;
const [settings, shiftClock] = withClock({
  args: ['--host', 'as1.localhost', '--also', 'as2.localhost', '--module', 'authn_anon'],
  conf:
    'OAuth2ASProfile auth0\nOAuth2ASKeepSignedIn on\n' +
    client('spa', { extra: [...own, out] }) +
    client('asks', { extra: [out] }) +
    client('other', { extra: [out] }) +
    ['any', 'more'].map((id) => `OAuth2ASLoginOption ${id} "${id}" /login/${id} reauth=can\n<Location "/login/${id}">\nSetHandler oauth2as-login\nAuthType Basic\nAuthName ${id}\nAuthBasicProvider anon\nAnonymous *\nAnonymous_MustGiveEmail off\nAnonymous_VerifyEmail off\nRequire valid-user\n</Location>\n`).join(''),
});
const server = await startInstance(settings);
await server.shareSecret();
const second = Object.create(server, { issuer: { value: server.also } });
const bob = { username: 'bob', password: 'battery staple' };
const dave = { authorization: `Basic ${Buffer.from('dave:x').toString('base64')}` };

const open = (surfer, overrides = {}) => surfer.go(authorizeUrl(surfer.instance, authorization({ client_id: 'asks', ...overrides }).params));
const alice = async (instance = server) => (await getCode(instance, { client_id: 'spa' }, { surfer: new Surfer(instance) })).surfer;
const fieldsOf = (page) => page.form.fields;
const queryOf = (answer) => Object.fromEntries(answer.location.searchParams);

// how each form is come by, in a browser in which alice is signed in; where it belongs, and whether by GET
const kinds = {
  login: { at: 'authorize', step: 'login', make: async (surfer) => fieldsOf(await open(surfer, { prompt: 'login' })) },
  'login for the account page': { at: 'account', step: 'login', signedOut: true, make: async (surfer) => fieldsOf(await surfer.go(surfer.instance.url('account'))) },
  select_account: { at: 'authorize', step: 'select_account', bound: true, make: async (surfer) => fieldsOf(await open(surfer, { client_id: 'spa', prompt: 'select_account' })) },
  consent: { at: 'authorize', step: 'consent', bound: true, make: async (surfer) => fieldsOf(await open(surfer)) },
  'confirm of the account page': { at: 'account', step: 'confirm', bound: true, make: async (surfer) => fieldsOf(await surfer.go(surfer.instance.url('account'))) },
  'confirm of the logout page': { at: 'oidc/logout', step: 'confirm', bound: true, make: async (surfer) => fieldsOf(await surfer.go(surfer.instance.url('oidc/logout', { client_id: 'asks', post_logout_redirect_uri: afterUri }))) },
  resume: { at: 'authorize', step: 'resume', bound: true, get: true, async make(surfer) {
    const page = await open(surfer, { prompt: 'login' });
    return queryOf(await surfer.send(page.form.action, { form: { ...fieldsOf(page), username: 'alice', password: 'correct horse' } }));
  } },
  external: { at: 'login/any', step: 'external', get: true, async make(surfer) {
    const page = await open(surfer, { prompt: 'login' });
    return queryOf(await surfer.send(page.form.action, { form: { ...fieldsOf(page), option: 'any' } }));
  } },
};
const steps = ['login', 'select_account', 'consent', 'confirm', 'resume', 'external', 'step', 'login\n'];
const endpoints = ['authorize', 'account', 'oidc/logout', 'v2/logout', 'login/any', 'login/more'];
// every button there is, and bob's password: whoever takes a form takes one of them
const buttons = { decision: 'allow', confirm: 'yes', end_others: 'on', withdraw: 'spa', option: 'more', ...bob };

async function browserFor(kind, instance = server) {
  const surfer = kind.signedOut ? new Surfer(instance) : await alice(instance);
  return { surfer, fields: await kind.make(surfer) };
}

const send = (surfer, instance, at, fields, get) => (get ? surfer.send(instance.url(at, fields), { headers: dave }) : surfer.send(instance.url(at), { form: fields, headers: dave }));

/** What forms can do to the databases of both issuers. */
async function state() {
  const counted = ['public', 'also'].flatMap((schema) => ['oas_sessions WHERE ended_at IS NULL', 'oas_sessions', 'oas_consents WHERE live', 'oas_grants'].map((rows) => `${schema}.${rows}`));
  const [row] = await server.sql(`SELECT ${counted.map((rows) => `(SELECT count(*) FROM ${rows})`).join(', ')}`);
  return Object.fromEntries(counted.map((rows, i) => [rows, row[i]]));
}

/** Refused, and nowhere to go from there. */
function assertRefused(answer, what) {
  assert.ok([400, 405].includes(answer.status), `${what}: ${answer.status} ${answer.headers.location ?? textOf(answer.text).slice(0, 200)}`);
  assert.equal(answer.location, null, what);
  if (!/has expired/.test(answer.text)) assert.doesNotMatch(answer.text, /<a\b[^>]*href="[^"]*\/(authorize|account|oidc\/logout|v2\/logout)/, `${what}: a way to start a login`);
  assert.equal(answer.cookies.some((line) => /^[^=]*=[\w-]{22}\.[\w-]{64}/.test(line)), false, `${what}: a session`);
}

for (const [name, kind] of Object.entries(kinds)) {
  test(`${name}: at other endpoints, as other steps, by the other method`, async () => {
    const { surfer, fields } = await browserFor(kind);
    const before = await state();
    const belongs = (at, step, get) => at === kind.at && step === kind.step && (get === Boolean(kind.get) || kind.step === 'external'); // a module with a form of its own may make it a POST
    for (const at of endpoints) {
      const ways = steps.flatMap((step) => [false, true].map((get) => [step, get])).filter(([step, get]) => !belongs(at, step, get));
      await Promise.all(ways.map(async ([step, get]) => assertRefused(await send(surfer.clone(), server, at, { ...fields, step, ...buttons }, get), `${at} ${step} ${get ? 'GET' : 'POST'}`)));
    }
    assert.deepEqual(await state(), before);
    if (!kind.signedOut) assert.equal(await isSignedIn(server, surfer), true);
  });

  test(`${name}: altered, for another client, put together from two`, async () => {
    const { surfer, fields } = await browserFor(kind);
    const { interaction, client_id } = fields;
    const [expires, sealed] = interaction.split('.');
    const flip = (at) => sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
    const others = [];
    for (const one of kind.signedOut ? [] : Object.values(kinds)) // one after the other: a login on the way gives the browser another cookie
      if (one !== kind && !one.signedOut) others.push(await one.make(surfer));
    const sealeds = [
      ...[0, 5, 12, 30, 40, Math.floor(sealed.length / 2), sealed.length - 3].map((at) => `${expires}.${flip(at)}`),
      ...others.map((other) => other.interaction).flatMap((other) => [other, `${expires}.${other.split('.')[1]}`, `${other.split('.')[0]}.${sealed}0`]),
      `${Number(expires) + 1}.${sealed}`, `0${expires}.${sealed}`, `+${expires}.${sealed}`, ` ${expires}.${sealed}`, `${expires} .${sealed}`, `${expires}..${sealed}`, `${expires}.${sealed}=`, `${expires}.${sealed}.`, `${expires}.${sealed} `,
      `${expires}.${sealed}\n`, `${expires}.${sealed}A`, `${expires}.${sealed.slice(0, -1)}`, `9999999999999999999.${sealed}`, `-1.${sealed}`, `.${sealed}`, sealed, `${expires}.`, '.', 'x', `${sealed}.${expires}`, interaction.toUpperCase(),
    ];
    const before = await state();
    await Promise.all([...new Set(sealeds)].map(async (one) => assertRefused(await send(surfer.clone(), server, kind.at, { ...fields, interaction: one, ...buttons }, kind.get), one.slice(0, 40))));
    for (const id of ['other', 'nobody', 'spa\nx', `${client_id ?? 'spa'}\n`, client_id === undefined ? 'asks' : undefined]) {
      const changed = { ...fields, client_id: id };
      if (id === undefined) delete changed.client_id;
      assertRefused(await send(surfer, server, kind.at, { ...changed, ...buttons }, kind.get), `client_id ${id}`);
    }
    assert.deepEqual(await state(), before);
  });

  test(`${name}: in other browsers and sessions, and at the other issuer`, async () => {
    const { surfer, fields } = await browserFor(kind);
    const victim = new Surfer(server);
    await open(victim, { client_id: 'spa' });
    const other = (await getCode(server, { client_id: 'spa' }, bob)).surfer;
    const twin = await alice();
    const moved = new Surfer(second); // the second issuer's cookie, with this one's value
    await open(moved, { client_id: 'spa' });
    const [theirs] = [...moved.jar.get(new URL(second.issuer).origin).keys()];
    moved.jar.set(new URL(second.issuer).origin, new Map([[theirs, [...surfer.jar.get(new URL(server.issuer).origin)][0][1]]]));
    const before = await state();
    for (const [what, browser, instance] of [['nobody', victim, server], ['bob', other, server], ['alice elsewhere', twin, server], ['without cookie', new Surfer(server), server], ['the other issuer', moved, second]]) {
      const answer = await send(browser.clone(), instance, kind.at, { ...fields, ...buttons }, kind.get);
      if (answer.status === 200) {
        assert.equal(kind.step, 'login', `${what}: ${textOf(answer.text).slice(0, 100)}`);
        assert.doesNotMatch(answer.text, /battery/);
      } else {
        assertRefused(answer, what);
      }
    }
    assert.deepEqual(await state(), before);
    if (!kind.bound) return;
    const changed = surfer.clone();
    await getCode(server, { client_id: 'spa', prompt: 'login' }, { surfer: changed, ...bob });
    assertRefused(await send(changed, server, kind.at, { ...fields, ...buttons }, kind.get), 'in the session of bob, who signed in since');
  });

  if (!kind.bound) continue;
  test(`${name}: after the logout`, async () => {
    const { surfer, fields } = await browserFor(kind);
    const kept = surfer.clone();
    await surfer.send(server.url('v2/logout', { client_id: 'spa' }));
    const before = await state();
    assertRefused(await send(surfer, server, kind.at, { ...fields, ...buttons }, kind.get), 'with the cookie of now');
    const answer = await send(kept, server, kind.at, { ...fields, ...buttons }, kind.get); // with the cookie of before
    const asked = answer.status === 200 && /Sign in|signed out/i.test(textOf(answer.text));
    const gone = kind.at === 'oidc/logout' && answer.headers.location === afterUri;
    assert.ok(asked || gone || answer.status === 400, `${answer.status} ${answer.headers.location}`);
    assert.deepEqual(await state(), before);
    assert.equal(await isSignedIn(server, kept), false);
  });
}

test('a login option signs nobody in by methods that only look, or that browsers send for no link and no form', async () => {
  const { surfer, fields } = await browserFor(kinds.external);
  const before = await state();
  for (const method of ['HEAD', 'PUT', 'DELETE', 'OPTIONS', 'BREW']) assertRefused(await surfer.clone().send(server.url('login/any', fields), { method, headers: dave }), method);
  assert.deepEqual(await state(), before);
  assert.equal((await send(surfer, server, 'login/any', fields, true)).status, 302);
});

test('used a second time they do what they did, and no more', async () => {
  const surfer = await alice();
  const consent = await open(surfer, { prompt: 'consent' });
  const codes = await Promise.all([1, 2].map(async () => callbackOf(await surfer.submit(consent, { decision: 'allow' })).code));
  assert.notEqual(codes[0], codes[1]);
  const account = await surfer.go(server.url('account'));
  const tokens = await offline(server, { client_id: 'asks' }, { client_id: 'asks' });
  await surfer.submit(account, { withdraw: 'asks' });
  assert.equal((await refresh(server, tokens.refresh_token, { client_id: 'asks' })).json.error, 'invalid_grant');
  assert.equal(callbackOf(await surfer.submit(consent, { decision: 'deny' })).error, 'access_denied');
  assertRefused(await surfer.submit(consent, { decision: 'allow' }), 'what was withdrawn meanwhile');
});

test('all of them are late after their time', async () => {
  const made = [];
  for (const [name, kind] of Object.entries(kinds)) made.push([name, kind, await browserFor(kind)]);
  const { surfer } = made.find(([name]) => name === 'confirm of the account page')[2];
  const done = await surfer.submit(await surfer.go(server.url('account')), { withdraw: 'asks' });
  assert.match(textOf(done.text), /no longer has access/);
  await shiftClock(61 + 60);
  assert.doesNotMatch(textOf((await surfer.go(done.url.href)).text), /no longer has access/, 'what was done is said for a minute');
  await shiftClock(3600 + 120);
  try {
    const before = await state();
    for (const [name, kind, { surfer: browser, fields }] of made) {
      const answer = await send(browser, server, kind.at, { ...fields, ...buttons }, kind.get);
      assertRefused(answer, name);
      assert.match(textOf(answer.text), /expired|too long|out of date/i, name);
    }
    assert.deepEqual(await state(), before);
  } finally {
    await shiftClock(0);
  }
});

// ---- what another site makes a browser send: with the cookie when it is a link, without it when it is a form ----

async function crossPost(at, form) {
  const answer = await new Surfer(server).go(server.url(at), { form });
  for (const name of ['password', 'username', 'current_password', 'new_password']) assert.equal(answer.url.searchParams.has(name), false, `${name} is in an address`);
  return answer;
}

test('login: nobody is signed in as the attacker', async () => {
  const attacker = new Surfer(server);
  const page = await open(attacker, { client_id: 'spa' });
  const external = await kinds.external.make(await alice());
  const victim = new Surfer(server);
  await open(victim, { client_id: 'spa' });
  const before = await state();
  const attempts = [
    () => crossPost('authorize', { ...page.form.fields, ...bob }),
    () => crossPost('authorize', { ...authorization({ client_id: 'spa' }).params, ...bob, step: 'login' }),
    () => crossPost('account', { ...bob, step: 'login' }),
    () => victim.go(server.url('authorize', { ...authorization({ client_id: 'spa' }).params, ...bob, step: 'login', option: 'any' })),
    () => victim.go(server.url('authorize', { ...page.form.fields, ...bob })),
    () => victim.go(server.url('account', { ...bob, step: 'login' })),
    () => victim.go(server.url('authorize'), { form: { ...page.form.fields, ...bob } }),
    () => victim.go(server.url('authorize'), { form: { ...page.form.fields, option: 'any' } }),
    () => victim.go(server.url('login/any', external), { headers: dave }), // the browser has the user's password for it
    () => victim.go(server.url('login/any'), { headers: dave }),
    () => victim.go(server.url('login/any'), { headers: dave, form: external }),
  ];
  for (const attempt of attempts) {
    const answer = await attempt();
    assert.ok([200, 400].includes(answer.status), String(answer.status));
    assert.doesNotMatch(answer.text, /battery|value="bob"/);
  }
  assert.deepEqual(await state(), before);
  assert.equal(await isSignedIn(server, victim), false);
});

test('login: the page that another browser\'s form leads to has nothing of what was done there', async () => {
  const attacker = new Surfer(server);
  const page = await attacker.submit(await open(attacker, { client_id: 'spa' }), { username: 'bob', password: 'wrong', keep: 'on' });
  const ticked = (answer) => / checked/.test(/<input[^>]*name="keep"[^>]*>/.exec(answer.text)[0]);
  assert.ok(ticked(page));
  const victim = new Surfer(server);
  await open(victim, { client_id: 'spa' });
  assert.equal(ticked(await victim.submit(page, bob)), false);
});

test('logout: whoever is signed in is asked', async () => {
  const { surfer, id_token } = await signedIn(server);
  const elsewhere = await signedIn(server);
  const stranger = await signedIn(server, 'spa', bob);
  const claims = decode(id_token).claims;
  const ended = await signedIn(server, 'spa', { surfer: new Surfer(server) });
  await ended.surfer.send(server.url('v2/logout'));
  const params = [
    {}, { client_id: 'spa' }, { client_id: 'spa', post_logout_redirect_uri: afterUri }, { confirm: 'yes' }, { confirm: 'yes', step: 'confirm' }, { logout_hint: claims.sub }, { client_id: 'spa', logout_hint: claims.sub }, { logout_hint: 'alice' },
    { logout_hint: 'alice@example.test', client_id: 'spa' }, { sid: claims.sid, iss: server.issuer }, { id_token_hint: elsewhere.id_token }, { id_token_hint: stranger.id_token }, { id_token_hint: ended.id_token },
    { id_token_hint: stranger.id_token, logout_hint: claims.sub }, { id_token_hint: elsewhere.id_token, logout_hint: claims.sid }, { id_token_hint: elsewhere.id_token, client_id: 'spa', post_logout_redirect_uri: afterUri },
    { id_token_hint: id_token.slice(0, -2) }, { id_token_hint: id_token, logout_hint: 'somebody else' }, { logout_token: id_token }, { id_token }, { federated: '' }, { logout_hint: decode(stranger.id_token).claims.sid },
  ];
  for (const one of params) {
    const byLink = await surfer.go(server.url('oidc/logout', one));
    assert.equal(byLink.status, 200, JSON.stringify(one));
    assert.match(textOf(byLink.text), /Do you want to sign out\?/);
    const bounced = await new Surfer(server).send(server.url('oidc/logout'), { form: one });
    if (bounced.location) {
      assert.equal(bounced.location.searchParams.has('confirm'), false);
      assert.match(textOf((await surfer.go(bounced.location.href)).text), /Do you want to sign out\?/);
    }
  }
  for (const method of ['HEAD', 'OPTIONS', 'PUT']) await surfer.send(server.url('oidc/logout', { id_token_hint: id_token }), { method });
  for (const method of ['HEAD', 'OPTIONS', 'POST']) await surfer.send(server.url('v2/logout', { client_id: 'spa' }), { method });
  assert.equal(await isSignedIn(server, surfer), true);
  assert.equal(await isSignedIn(server, elsewhere.surfer), true);
});

test('account, consent and selection: neither a link nor a form of another site does anything', async () => {
  const { refresh_token, got: { surfer } } = await offline(server, { client_id: 'asks' }, { client_id: 'asks' });
  const twin = await alice();
  const { sid } = decode((await signedIn(server, 'spa', { surfer: twin })).id_token).claims;
  const attacker = (await getCode(server, { client_id: 'spa' }, bob)).surfer;
  const mine = fieldsOf(await attacker.go(server.url('account')));
  const actions = [{ end_session: sid }, { end_others: 'on' }, { withdraw: 'asks' }, { password: 'change', current_password: 'correct horse', new_password: 'of the attacker', new_password_again: 'of the attacker' }, { decision: 'allow' }, { confirm: 'yes' }];
  const before = await state();
  for (const action of actions) {
    for (const form of [action, { ...action, step: 'confirm' }, { ...action, step: 'confirm', interaction: 'x' }, { ...mine, ...action }]) {
      for (const at of ['account', 'authorize']) {
        for (const answer of [await crossPost(at, form), await surfer.go(server.url(at, form)), await surfer.go(server.url(at), { form })]) {
          assert.ok([200, 400].includes(answer.status), `${answer.status} ${JSON.stringify(form)}`);
          assert.doesNotMatch(answer.text, /correct horse|of the attacker/);
        }
      }
    }
  }
  assert.deepEqual(await state(), before);
  assert.equal(await isSignedIn(server, twin), true);
  assert.equal((await refresh(server, refresh_token, { client_id: 'asks' })).status, 200);
  assert.ok((await getCode(server, { client_id: 'spa' })).code, 'the password is as it was');
});
