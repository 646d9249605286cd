// SPDX-License-Identifier: Apache-2.0
// Cookies that somebody else wrote: malformed, huge, several of a name, of another issuer; and the cookie of known
// browsers, forged, put together and carried to another browser.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { startInstance } from './lib/instance.mjs';
import { stayer } from './lib/leads.mjs';
import { own } from './lib/logout.mjs';
import { appUri, authorization, authorizeUrl, callbackOf, client, getCode } from './lib/oauth.mjs';
import { Surfer } from './lib/surfer.mjs';
import { Wire } from './lib/wire.mjs';

const server = await startInstance({
  args: ['--host', 'as1.localhost', '--also', 'as2.localhost'],
  conf: `OAuth2ASProfile auth0
    OAuth2ASThrottle pair=3 account=6 address=1000 max=10min
    RemoteIPHeader X-Forwarded-For
    RemoteIPInternalProxy 127.0.0.0/8
    ${client('own', { extra: own })}`,
});
await server.shareSecret();
const second = Object.create(server, { issuer: { value: server.also } });
const originOf = (instance) => new URL(instance.issuer).origin;
const wire = new Wire(server);
after(() => wire.stop());
const stays = stayer(originOf(server), [appUri]);
const query = (overrides) => new URLSearchParams(authorization({ client_id: 'own', scope: 'openid', ...overrides }).params);
const cookiesOf = (surfer) => surfer.jar.get(originOf(surfer.instance));

const { surfer: alice } = await getCode(server, { client_id: 'own' });
const { surfer: bob } = await getCode(server, { client_id: 'own' }, { username: 'bob', password: 'battery staple' });
const { surfer: elsewhere } = await getCode(second, { client_id: 'own' }, { surfer: new Surfer(second) });
const name = [...cookiesOf(alice).keys()].find((one) => /^oas-[0-9a-f]+$/.test(one));
const theirs = [...cookiesOf(elsewhere).keys()].find((one) => /^oas-[0-9a-f]+$/.test(one));
const value = cookiesOf(alice).get(name);
const [binding, handle] = value.split('.');
const random = (bytes) => randomBytes(bytes).toString('base64url');

/** What a silent request with this Cookie header gets, and that all pages answer it. */
async function silent(cookie) {
  for (const target of ['/account', '/oidc/logout', `/authorize?${query()}`]) {
    const answer = await wire.send(target, { headers: { Cookie: cookie } });
    stays(answer, `${target} with ${cookie.slice(0, 60)}`);
    assert.ok(answer.status < 500 && !answer.text.includes('planted'), `${answer.status}`);
  }
  const answer = await wire.send(`/authorize?${query({ prompt: 'none' })}`, { headers: { Cookie: cookie } });
  if (answer.status === 400) return 'refused';
  const { code, error } = callbackOf(answer);
  return code ? 'signed in' : error;
}

test('no cookie that is not ours to the letter signs anybody in', async () => {
  assert.equal(await silent(`${name}=${value}`), 'signed in');
  const flip = (text, at) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
  const wrong = [
    '', '=', ';', ';;;', name, `${name}=`, `${name}=;`, `${name}==`, `=${value}`, value, `${name}=${binding}`, `${name}=${handle}`, `${name}=.${handle}`, `${name}=${binding}.`, `${name}=${binding}..${handle}`, `${name}=${binding}${handle}`,
    `${name}="${value}"`, `${name}='${value}'`, `${name}= ${value}`, `${name} =${value}`, `${name}=${value}=`, `${name}=${value}.x`, `${name}=${value}A`, `${name}=A${value}`, `${name}=${value.slice(0, -1)}`, `${name}=${value}%00`, `${name}=${encodeURIComponent(value)}%20`,
    `${name.toUpperCase()}=${value}`, `x${name}=${value}`, `${name}x=${value}`, `${name.slice(0, -1)}=${value}`, `__Host-${name}=${value}`, `$Version=1; $Path=/; $${name}=${value}`, `${name}=${value.toUpperCase()}`, `${name}=${value.replace('.', ',')}`,
    `${name}=${binding}.${flip(handle, 3)}`, `${name}=${binding}.${flip(handle, 40)}`, `${name}=${binding}.${handle.slice(0, 22)}${random(32).slice(0, 42)}`, `${name}=${binding}.${random(48)}`, `${name}=${binding}.${'A'.repeat(64)}`, `${name}=${binding}.${'\u00ff'.repeat(64)}`,
    `${name}=${binding}.${"'".repeat(64)}`, `${name}=${binding}.${'%'.repeat(64)}`, `${name}=${'A'.repeat(3000)}`, `${name}=${`${random(48)}.`.repeat(80)}`, `${name}=planted`, `${name}-known=${value}`, `${name}-wm=${value}.`, `${theirs}=${value}`,
  ];
  for (const cookie of wrong) assert.equal(await silent(cookie), 'login_required', cookie);
});

test('too many, too long: httpd refuses or nobody is signed in', async () => {
  const many = Array.from({ length: 300 }, (_, i) => `c${i}=planted`).join('; ');
  assert.equal(await silent(`${many}; ${name}=${value}`), 'signed in');
  assert.equal(await silent(`${many}; ${name}=${binding}`), 'login_required');
  for (const target of ['/account', `/authorize?${query()}`]) {
    const answer = await wire.send(target, { headers: { Cookie: `${name}=${'A'.repeat(9000)}` } });
    assert.equal(answer.status, 400);
    assert.doesNotMatch(answer.text, /AAAA/);
  }
});

test('several of one name: one counts, whole', async () => {
  const bobs = cookiesOf(bob).get(name);
  const [bobsBinding, bobsHandle] = bobs.split('.');
  for (const other of ['x', '', binding, `${random(16)}`, `${random(16)}.${random(48)}`, bobs]) {
    for (const cookie of [`${name}=${other}; ${name}=${value}`, `${name}=${value}; ${name}=${other}`]) {
      assert.ok(['signed in', 'login_required'].includes(await silent(cookie)), cookie);
    }
  }
  // the first one counts; a binding of one and a session of the other are never put together
  for (const cookie of [`${name}=${bobsBinding}; ${name}=${value}`, `${name}=${binding}; ${name}=x.${handle}`]) assert.equal(await silent(cookie), 'login_required');
  const page = await wire.send('/account', { headers: { Cookie: `${name}=${bobs}; ${name}=${value}` } });
  assert.match(page.text, /Bob Example/);
  assert.doesNotMatch(page.text, /Alice Example/);
  assert.ok(bobsHandle);
});

test('another issuer: its cookies beside ours, under our name, and ours under its name', async () => {
  const foreign = cookiesOf(elsewhere).get(theirs);
  assert.notEqual(theirs, name);
  assert.equal(await silent(`${theirs}=${foreign}; ${name}=${value}`), 'signed in');
  assert.equal(await silent(`${name}=${value}; ${theirs}=${foreign}`), 'signed in');
  assert.equal(await silent(`${theirs}=${foreign}`), 'login_required');
  assert.equal(await silent(`${name}=${foreign}`), 'login_required');
  assert.equal(await silent(`${name}=${binding}.${foreign.split('.')[1]}`), 'login_required');
  const other = new Surfer(second);
  other.jar.set(originOf(second), new Map([[theirs, value]]));
  assert.equal(callbackOf(await other.go(authorizeUrl(second, authorization({ client_id: 'own', prompt: 'none' }).params))).error, 'login_required');
});

test('the cookie of frames counts in silent messages only', async () => {
  assert.equal(cookiesOf(alice).get(`${name}-wm`), value);
  assert.equal(await silent(`${name}-wm=${value}`), 'login_required');
  for (const forged of ['', 'x', binding, `${binding}.${random(48)}`, `${value}.x`]) {
    const answer = await wire.send(`/authorize?${query({ prompt: 'none', response_mode: 'web_message' })}`, { headers: { Cookie: `${name}-wm=${forged}` } });
    assert.match(answer.text, /login_required/, forged);
  }
});

// ---- known browsers ----

let address = 1;
const anybody = (jar) => {
  const surfer = new Surfer(server);
  surfer.jar.set(originOf(server), new Map(jar));
  const from = `198.51.100.${address++}`;
  const send = surfer.send.bind(surfer);
  surfer.send = (url, options = {}) => send(url, { ...options, headers: { ...options.headers, 'x-forwarded-for': from } });
  return surfer;
};
async function attempt(surfer, username, password) {
  const page = await surfer.go(authorizeUrl(server, authorization({ client_id: 'own', prompt: 'login' }).params));
  return (await surfer.submit(page, { username, password })).status;
}
const signedIn = 303;
const paused = 429;

test('a forged, borrowed or patched cookie of a known browser is worth nothing; a stolen one guesses as often as its owner', async () => {
  const known = `${name}-known`;
  const [device, proof] = cookiesOf(alice).get(known).split('.');
  const [bobsDevice, bobsProof] = cookiesOf(bob).get(known).split('.');
  const foreign = cookiesOf(elsewhere).get(`${theirs}-known`);
  for (let i = 0; i < 7; i++) assert.equal(await attempt(anybody([]), 'alice', 'wrong'), 200);
  // a pause is two seconds at first: here it is to last as long as the test takes
  const lengthen = () => server.sql("UPDATE oas_throttle SET waiting_until = waiting_until + interval '9 minutes' WHERE waiting_until IS NOT NULL");
  await lengthen();
  assert.equal(await attempt(anybody([]), 'alice', 'correct horse'), paused);
  const worthless = [
    '', '.', device, `${device}.`, `.${proof}`, `${proof}.${device}`, `${device}.${bobsProof}`, `${bobsDevice}.${proof}`, `${bobsDevice}.${bobsProof}`, `${random(16)}.${proof}`, `${device}.${random(16)}`, `${device}.${proof.slice(0, -1)}`,
    `${device}.${proof}A`, `${device}.${proof}.`, `${device}.${proof}..`, `${device}..${proof}`, `${device}.${'A'.repeat(22)}`, `"${device}.${proof}"`, `${device},${proof}`, foreign, `${device}.${Array(5).fill(random(16)).join('.')}.${proof}`,
    `${device}.${Array(6).fill(proof).join('.')}`, `${device}.${Array(150).fill(random(16)).join('.')}`, 'x'.repeat(3000), `${device}.${proof.toLowerCase()}x`, `${device}.${"'".repeat(22)}`,
  ];
  for (const one of worthless) assert.equal(await attempt(anybody([[known, one]]), 'alice', 'correct horse'), paused, one.slice(0, 80));
  const genuine = `${device}.${proof}`;
  assert.equal(await attempt(anybody([[known, `${device}.${random(16)}.${bobsProof}.${proof}`]]), 'alice', 'correct horse'), signedIn, 'proofs of other accounts beside it do no harm');
  for (let i = 0; i < 4; i++) assert.equal(await attempt(anybody([[known, genuine]]), 'alice', 'guess'), 200, 'whoever stole it, from wherever');
  await lengthen();
  assert.equal(await attempt(anybody([[known, genuine]]), 'alice', 'guess'), paused);
  assert.equal(await attempt(anybody([[known, genuine]]), 'bob', 'battery staple'), signedIn, 'another account is no business of it');
});
