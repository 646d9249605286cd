// SPDX-License-Identifier: Apache-2.0
// The keyring: two nodes follow it without a restart; keys change under load, by hand and by the schedule, and no
// application that keeps the key set as long as it may ever meets a key that it does not know.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance, until } from './lib/instance.mjs';
import { keysAt, StrictVerifier } from './lib/keyset.mjs';
import { request } from './lib/http.mjs';
import { own, Receiver } from './lib/logout.mjs';
import { basic, client, decode, secretOf, token } from './lib/oauth.mjs';
import { parseMetrics } from './lib/prometheus.mjs';

const api = 'https://api.example.test/';
const second = 'https://second.example.test/';
const machine = client('worker', { type: 'machine', uri: [], allow: [`${api} *`, `${second} *`], extra: ['OAuth2ASIDTokenAlg ES256'] });
const receiver = await Receiver.start();
const toldClient = client('told', { extra: [...own, `OAuth2ASBackchannelLogoutURI ${receiver.url('/told')}`] });
const server = await startInstance({
  nodes: 2,
  args: ['--keyring', 'alg=RS256,ES256 rotate=90d'],
  conf:
    'OAuth2ASEndpoint metrics /oauth2as/metrics\n<Location "/oauth2as/metrics">\nRequire all granted\n</Location>\n' +
    'OAuth2ASLifetime jwks 1s\nOAuth2ASLifetime access-token 20s\nOAuth2ASAuditLog ${OAS_DIR}/audit.log\n' +
    `<OAuth2ASResource "${second}">\nOAuth2ASTokenAlg ES256\n</OAuth2ASResource>\nOAuth2ASOutboundAllow 127.0.0.1/32\n${machine}${toldClient}`,
});
const jwks = '.well-known/jwks.json';
const secret = `${server.dir}/httpd/main/secret`;
const ask = (where, audience) => token({ url: where }, { grant_type: 'client_credentials', audience }, { authorization: basic('worker', secretOf('worker')) });
const balanced = (...args) => server.url(...args);
const kidOf = (jwt) => decode(jwt).header.kid;
const ring = async () => JSON.parse(await server.ctl(['key', 'status', '--output', 'json']));
const find = async (alg, state) => (await ring()).find((key) => key.alg === alg && key.state === state);
/** What a process of the node publishes; nothing as long as that process has no keys. */
const published = async (node) => {
  const answer = await request(node.url(jwks));
  assert.ok([200, 503].includes(answer.status), answer.text);
  return answer.status === 200 ? answer.json.keys.map(({ kid }) => kid).sort() : [];
};
const events = () => fs.readFileSync(`${server.dir}/audit.log`, 'utf8').trim().split('\n').map((line) => JSON.parse(line)).filter(({ event }) => event === 'key');

/** The keys of which the audit log says this, once it does: the line comes behind what is done. */
async function audited(reason, count) {
  const found = () => events().filter((event) => event.reason === reason).map(({ kid }) => kid);
  await until(`the audit log has ${reason}`, () => found().length >= count);
  return found();
}

/** All nodes publish these keys. */
const everywhere = (what, kids) =>
  until(what, async () => (await Promise.all(server.nodes.map(published))).every((list) => kids.every((kid) => list.includes(kid))));

async function issued(where, audience) {
  const { status, text, json } = await ask(where, audience);
  assert.equal(status, 200, text);
  return json.access_token;
}

/** All processes of all nodes answer so: many answers at a time, since one process may be a moment behind another. */
const everyProcess = (what, condition, audience = api) =>
  until(what, async () => {
    const answers = await Promise.all(server.nodes.flatMap(({ url }) => Array.from({ length: 32 }, () => ask(url, audience))));
    return answers.every(condition);
  });
const signedEverywhere = (kid) => everyProcess(`all sign with ${kid}`, ({ status, json }) => status === 200 && kidOf(json.access_token) === kid);

/** A logout of which an application is to be told. */
const endSession = (client_id) =>
  server.sql(`INSERT INTO oas_logouts (client_id, session_id, sub, due_at, purge_after)
    VALUES ('${client_id}', gen_random_uuid(), 'oauth2as|alice', clock_timestamp(), clock_timestamp() + interval '1 hour')`);

/** Tokens of both algorithms from any node, each verified at once and shortly before it ends, until `stop` is called; `seen` is how it goes. */
function keepIssuing(t) {
  const seen = { good: 0, bad: [], kids: new Set() };
  const later = [];
  let running = true;
  t.after(() => (running = false));
  const work = [api, second, api, second].map(async (audience, i) => {
    const verifier = new StrictVerifier(balanced(jwks)); // its copy comes from one node, the token from another
    await sleep(250 * i);
    while (running) {
      const jwt = await issued(balanced, audience).catch((error) => void seen.bad.push(String(error)));
      const why = jwt && (await verifier.refusal(jwt, server.issuer));
      if (why) seen.bad.push(`${kidOf(jwt)} ${why}`);
      else seen.good++;
      if (jwt) seen.kids.add(kidOf(jwt));
      if (jwt && seen.good % 20 === 0) later.push(jwt);
      await sleep(10);
    }
  });
  const stop = async () => {
    running = false;
    await Promise.all(work);
    const fresh = new StrictVerifier(balanced(jwks));
    for (const jwt of later) {
      const why = await fresh.refusal(jwt, server.issuer);
      if (why && decode(jwt).claims.exp > Date.now() / 1000) seen.bad.push(`later: ${kidOf(jwt)} ${why}`); // one that has ended meanwhile may be refused
    }
    return seen;
  };
  return { seen, stop };
}

test('the first keys are made by one node, and all nodes have the same', async () => {
  const keys = await ring();
  assert.deepEqual(keys.map(({ alg, state }) => `${alg} ${state}`), ['ES256 active', 'RS256 active']);
  await everywhere('both nodes have them', keys.map(({ kid }) => kid));
  for (const node of server.nodes) {
    assert.equal((await keysAt(node.url(jwks))).json.keys.length, 2);
    assert.equal(kidOf(await issued(node.url, api)), (await find('RS256', 'active')).kid);
    assert.equal((await request(node.url('oauth2as/ready'))).json.checks.keys, 'ok');
  }
  assert.equal((await audited('first', 2)).length, 2, 'one node each made it, whatever others tried');
});

test('nothing that the database has opens a key, and a foreign key is not taken', async () => {
  await server.begun(); // one that began now would have none
  const [[sealed]] = await server.sql("SELECT encode(sealed, 'escape') FROM oas_keys WHERE alg = 'ES256'");
  assert.doesNotMatch(sealed, /PRIVATE|\\006\\010\*\\206H\\316/, 'the object identifier of the curve would be in clear DER');
  const { kid } = await find('ES256', 'active');
  server.announce(/OAS01070: key .* \(ES256\) of the keyring cannot be used: it is damaged, or no key of this issuer/);
  // another key's box under this name: as whoever can write to the database would do
  await server.sql(`CREATE TABLE kept AS SELECT * FROM oas_keys; UPDATE oas_keys SET version = version + 1,
    sealed = (SELECT sealed FROM oas_keys WHERE alg = 'RS256') WHERE kid = '${kid}'`);
  await until('a node has looked at it', () => /OAS01070/.test(server.log()));
  for (const node of server.nodes) assert.equal(kidOf(await issued(node.url, second)), kid, 'it goes on with what it has');
  await server.sql(`UPDATE oas_keys AS k SET version = k.version + 1, sealed = o.sealed FROM kept AS o WHERE o.kid = k.kid; DROP TABLE kept`);
  await everyProcess('those that began meanwhile have it, too', ({ status }) => status === 200, second);
});

test('keys change under load, by hand and by the schedule: every token verifies with a key set as old as it may be', async (t) => {
  const { seen, stop } = keepIssuing(t);
  const [oldRsa, oldEc] = [await find('RS256', 'active'), await find('ES256', 'active')];
  const made = JSON.parse(await server.ctl(['key', 'generate', 'RS256', '--secret-file', secret, '--output', 'json']));
  assert.equal(made.state, 'next');
  await assert.rejects(server.ctl(['key', 'activate', made.kid]), /not everybody knows/);
  await server.sql("UPDATE oas_keys SET activated_at = activated_at - interval '100 days' WHERE alg = 'ES256'"); // its 90 days are over
  await until('the schedule has made the next key', () => find('ES256', 'next'));
  const nextEc = await find('ES256', 'next');
  await everywhere('both nodes publish what will sign', [made.kid, nextEc.kid]);
  assert.equal(kidOf(await issued(balanced, api)), oldRsa.kid, 'published is not signing');

  await until('the next key may sign', async () => Date.parse((await find('RS256', 'next')).usable) <= Date.now(), 60_000);
  assert.match(await server.ctl(['key', 'activate', made.kid]), /is active/);
  for (const node of server.nodes) await until('each node signs with it', async () => kidOf(await issued(node.url, api)) === made.kid);
  await until('the schedule lets its own sign', async () => (await find('ES256', 'active')).kid === nextEc.kid, 60_000);
  for (const node of server.nodes) await until('each node signs with it', async () => kidOf(await issued(node.url, second)) === nextEc.kid);
  assert.deepEqual((await ring()).filter(({ state }) => state === 'retired').map(({ kid }) => kid).sort(), [oldRsa.kid, oldEc.kid].sort());
  await everywhere('what has retired is still published', [oldRsa.kid, oldEc.kid]);
  await sleep(1000);
  await until('many tokens, of all four keys', () => seen.bad.length > 0 || (seen.good > 200 && seen.kids.size >= 4), 120_000);

  const { good, bad, kids } = await stop();
  console.log(`${good} tokens verified`);
  assert.deepEqual(bad, []);
  assert.deepEqual([...kids].sort(), [oldRsa.kid, oldEc.kid, made.kid, nextEc.kid].sort());
  for (const reason of ['next', 'active']) assert.deepEqual(await audited(reason, 1), [nextEc.kid], 'one node each');
});

test('a retired key stays for what it signed for clients that had longer tokens, or are gone', async () => {
  const week = 7 * 86_400;
  const stored = { client_type: 'machine', grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_basic', allow: [{ resource: api, scopes: ['read:items'] }] };
  const add = async (client_id, seconds) => {
    const lifetimes_ms = seconds && { 'access-token': seconds * 1000 };
    return JSON.parse(await server.ctl(['client', 'add', '-', '--output', 'json', ...(seconds ? [] : ['--replace'])], JSON.stringify({ ...stored, client_id, lifetimes_ms })));
  };
  const tokenOf = async (client_id, seconds) => {
    const { client_secret } = await add(client_id, seconds);
    const { json } = await token({ url: balanced }, { grant_type: 'client_credentials', audience: api }, { authorization: basic(client_id, client_secret) });
    assert.equal(json.expires_in, seconds);
    return json.access_token;
  };
  const jwts = [await tokenOf('shortened', 2 * week), await tokenOf('deleted', week)];
  await add('shortened');
  await server.sql("DELETE FROM oas_clients WHERE client_id = 'deleted'");
  const signed = await find('RS256', 'active');
  const { kid } = JSON.parse(await server.ctl(['key', 'generate', 'RS256', '--secret-file', secret, '--output', 'json']));
  await server.ctl(['key', 'activate', kid, '--now']);
  const ends = Date.parse((await ring()).find((key) => key.kid === signed.kid).ends) / 1000;
  for (const jwt of jwts) {
    const { header, claims } = decode(jwt);
    assert.equal(header.kid, signed.kid);
    assert.ok(ends >= claims.exp, `published until ${ends}, a token ends ${claims.exp}`);
  }
  await everywhere('both nodes have them', [kid, signed.kid]);
});

test('a retired key goes when its last token has ended', async () => {
  const retired = (await ring()).filter(({ state }) => state === 'retired');
  for (const { ends, activated } of retired) assert.ok(Date.parse(ends) > Date.now() && activated);
  await server.sql("UPDATE oas_keys SET ends_at = clock_timestamp() WHERE state = 'retired'");
  await until('no node publishes it', async () => (await Promise.all(server.nodes.map(published))).every((kids) => kids.length === 2));
  assert.equal((await ring()).length, 2);
});

test('a key that was stolen is gone within seconds, and its tokens with it', async () => {
  const stolen = await find('RS256', 'active');
  const jwt = await issued(balanced, api);
  const copy = new StrictVerifier(balanced(jwks));
  await copy.refresh();
  copy.until = Infinity;
  await assert.rejects(server.ctl(['key', 'retire', stolen.kid, '--now']), /generate the next one first/);
  await server.ctl(['key', 'generate', 'RS256', '--secret-file', secret]);
  assert.match(await server.ctl(['key', 'retire', stolen.kid, '--now']), /removed/);
  await until('applications refuse its tokens', async () => /NO_MATCHING_KEY/.test(await new StrictVerifier(balanced(jwks)).refusal(jwt, server.issuer)));
  let hurried;
  await until('another key signs', async () => kidOf((hurried = await issued(balanced, api))) !== stolen.kid);
  assert.match(await copy.refusal(hurried, server.issuer), /NO_MATCHING_KEY/, 'the price of --now: a copy of the key set that does not know it yet');
});

test('whatever cannot be opened, a key that was removed is gone: another one signs, or none', async () => {
  const checks = async (node) => {
    const { keys } = (await request(node.url('oauth2as/ready'))).json.checks;
    const { families } = parseMetrics((await request(node.url('oauth2as/metrics'))).text);
    const [{ state }] = families.oauth2as_keys_state.samples.filter(({ value }) => value === 1).map(({ labels }) => labels);
    return state === keys ? keys : `${keys}, by the metrics ${state}`;
  };
  const all = (what, condition) => until(what, async () => (await Promise.all(server.nodes.map(condition))).every(Boolean));
  const foreign = (state) => server.sql(`INSERT INTO oas_keys (kid, alg, state, sealed, created_at, activated_at, ends_at)
    SELECT 'foreign', 'RS256', '${state}', 'x', now(), CASE '${state}' WHEN 'retired' THEN now() END, CASE '${state}' WHEN 'retired' THEN now() + interval '1 day' END`);
  const without = (kid) => async (node) => !(await published(node)).includes(kid);
  server.announce(/OAS01070: key foreign|OAS01081|OAS01071|OAS0104\d/);

  await server.ctl(['client', 'add', '-'], JSON.stringify({ client_id: 'stored', redirect_uris: ['https://app.example.test/cb'], token_endpoint_auth_method: 'none', backchannel_logout_uri: receiver.url('/stored') }));
  await foreign('retired');
  await all('nodes say that something does not open', async (node) => (await checks(node)) === 'incomplete');
  const stolen = await find('RS256', 'active');
  const { kid } = JSON.parse(await server.ctl(['key', 'generate', 'RS256', '--secret-file', secret, '--output', 'json']));
  await server.ctl(['key', 'retire', stolen.kid, '--now']);
  await all('the stolen one is gone from the key set', without(stolen.kid));
  await signedEverywhere(kid);

  await server.sql("DELETE FROM oas_keys WHERE kid = 'foreign'");
  await foreign('next');
  await server.ctl(['key', 'retire', kid, '--now']);
  await everyProcess('nothing that can be opened is left', ({ status }) => status === 503);
  await all('all nodes say so', async (node) => (await checks(node)) === 'none'); // each process looks every second
  assert.equal((await request(balanced(jwks))).status, 503);
  for (const id of ['told', 'stored']) await endSession(id);
  await sleep(2000);
  assert.equal(await server.count('oas_logouts', 'attempts = 0'), 2, 'who cannot sign leaves a logout to those who can');
  await server.sql("DELETE FROM oas_keys WHERE kid = 'foreign'");
  await all('the first one is made anew', async (node) => (await ask(node.url, api)).status === 200 && (await checks(node)) === 'ok');
  for (const path of ['/told', '/stored']) assert.equal(kidOf((await receiver.wait(path))[0].token), (await find('RS256', 'active')).kid);
});

test('a keyring without room for the next key: it is told once, and there is room again when retired ones are removed', async () => {
  const said = () => [...server.log().matchAll(/\[pid (\d+):[^\n]*OAS01270: the keyring is full, so no key for RS256/g)].map(([, pid]) => pid);
  server.announce(/OAS01270/);
  server.announce(/OAS01070: key full/);
  await server.sql(`INSERT INTO oas_keys (kid, alg, state, sealed, created_at, activated_at, ends_at)
    SELECT 'full' || i, 'EdDSA', 'retired', 'x', now(), now(), now() + interval '1 day' FROM generate_series(1, 24 - (SELECT count(*) FROM oas_keys)) AS i`);
  await server.sql("DELETE FROM oas_keys WHERE state = 'next'; INSERT INTO oas_keys (kid, alg, state, sealed, created_at, activated_at, ends_at) VALUES ('full0', 'EdDSA', 'retired', 'x', now(), now(), now() + interval '1 day')");
  await server.sql("UPDATE oas_keys SET activated_at = now() - interval '90 days', version = version + 1 WHERE state = 'active' AND alg = 'RS256'");
  await until('it is told', () => said().length > 0);
  await sleep(9000); // every other second a node asks what is due
  assert.deepEqual(said(), [...new Set(said())], 'each process says it once');
  await server.sql("DELETE FROM oas_keys WHERE kid LIKE 'full%'");
  await until('there is a next key', async () => (await find('RS256', 'next')) !== undefined);
  // it is not to take over: the present one stays, however long what follows takes
  await server.sql("UPDATE oas_keys SET activated_at = now(), version = version + 1 WHERE state = 'active' AND alg = 'RS256'");
});

test('the database away: nodes sign and verify with what they have, also after a graceful restart; one that starts anew answers 503', async () => {
  const away = /OAS00[0-4]\d\d|OAS0065\d|OAS006[17]\d|OAS01071|AH006(?:29|3\d)|dbd/i;
  const { kid } = await find('RS256', 'active');
  const [, other] = server.nodes;
  const ready = async () => (await request(other.url('oauth2as/ready'))).json;
  await signedEverywhere(kid);
  server.announce(away, { maybe: true });
  await server.postgres('stop', 'immediate');
  for (const node of server.nodes) assert.equal(kidOf(await issued(node.url, api)), kid);
  await server.reload({ 'test.conf': (text) => `${text}\n# again\n` });
  for (const node of server.nodes) {
    const jwt = await issued(node.url, api);
    assert.equal(kidOf(jwt), kid, 'a new process has the keys without the database');
    assert.equal(await new StrictVerifier(node.url(jwks)).refusal(jwt, server.issuer), undefined);
  }

  await server.stopNode(other);
  await server.startNode(other);
  const answer = await ask(other.url, api);
  assert.equal(answer.status, 503, answer.text);
  assert.equal(answer.json.error, 'temporarily_unavailable');
  assert.ok(Number(answer.headers['retry-after']) >= 1);
  assert.equal((await request(other.url(jwks))).status, 503);
  assert.equal((await request(other.url('.well-known/openid-configuration'))).status, 200);
  assert.equal((await ready()).checks.keys, 'none');

  await server.postgres('start');
  await until('the node that started anew reads the keyring', async () => (await ready()).checks.keys === 'ok');
  await signedEverywhere(kid); // each of its processes, a moment after the first one
  const made = JSON.parse(await server.ctl(['key', 'generate', 'ES256', '--secret-file', secret, '--output', 'json']));
  await everywhere('both nodes follow again', [made.kid]);
});
