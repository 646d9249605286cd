// SPDX-License-Identifier: Apache-2.0
// What an administrator does by oauth2asctl, seen by applications: clients of the database, their secrets, the grants
// they hold, and the lines of the audit log that all this leaves beside httpd's.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstance, until } from './lib/instance.mjs';
import { assertError, basic, client, decode, getCode, offline, redeem, refresh, secretOf, token, userinfo } from './lib/oauth.mjs';

const api = 'https://api.example.test/';
const branch = client('branch', { type: 'machine', uri: [] });
const server = await startInstance({ conf: 'OAuth2ASAuditLog ${OAS_DIR}/audit.log\n' + client('spa') + branch });
const log = path.join(server.dir, 'audit.log');
const change = ([area, verb, ...rest], input) => server.ctl([area, verb, '--audit-log', log, ...rest], input);
const ctl = async ([area, verb, ...rest], input) => JSON.parse(await change([area, verb, '--output', 'json', ...rest], input));
const lines = () => fs.readFileSync(log, 'utf8').trim().split('\n').map((line) => JSON.parse(line));

const shop = {
  client_id: 'shop',
  client_name: 'Shop of the database',
  redirect_uris: ['https://app.example.test/callback'],
  token_endpoint_auth_method: 'client_secret_basic',
  id_token_signed_response_alg: 'ES256',
  allow: [{ resource: api, scopes: ['read:items'] }],
};
const secrets = [];
const as = (secret) => ({ authorization: basic('shop', secret) });

/** A grant of the shop at the API, with a refresh token. */
const begin = () => offline(server, { client_id: 'shop', scope: 'openid offline_access read:items', audience: api }, { client_id: undefined }, as(secrets.at(-1)));
const use = (held, secret = secrets.at(-1)) => refresh(server, held.refresh_token, { client_id: undefined }, as(secret));
/** Whether the secret is good: what is refused is the grant, not the client. */
const known = async (secret) => (await use({ refresh_token: 'none' }, secret)).json.error === 'invalid_grant';

test('a client that was added is there for every node, without a restart', async () => {
  const made = await ctl(['client', 'add', '-'], JSON.stringify(shop));
  assert.equal(made.client_id, 'shop');
  secrets.push(made.client_secret);
  const held = await begin();
  assert.equal(decode(held.access_token).claims.client_id, 'shop');
  assert.equal(decode(held.id_token).header.alg, 'ES256');
  assert.equal(held.scope, 'openid offline_access read:items');
  const listed = (await ctl(['client', 'list'])).find(({ client_id }) => client_id === 'shop');
  assert.deepEqual([listed.source, listed.state, listed.secrets], ['database', 'active', 1]);
});

test('what is shown of a configured client can be added under another name', async () => {
  await until('the configured clients are in the database', () => server.count('oas_clients', "client_id = 'spa'"));
  const { source, metadata } = await ctl(['client', 'show', 'spa']);
  assert.equal(source, 'configuration');
  await change(['client', 'add', '-'], JSON.stringify({ ...metadata, client_id: 'spa-too' }));
  const got = await getCode(server, { client_id: 'spa-too' });
  assert.equal((await redeem(server, got)).status, 200);
  await assert.rejects(change(['client', 'secret', 'spa']), /comes from a configuration/);
});

test('a configured client that is disabled stays so in the database, and is none where no configuration has it', async () => {
  const ask = () => token(server, { grant_type: 'client_credentials', audience: api }, { authorization: basic('branch', secretOf('branch')) });
  const state = async () => (await ctl(['client', 'list'])).find(({ client_id }) => client_id === 'branch').state;
  await until('it is in the database', () => server.count('oas_clients', "client_id = 'branch'"));
  await change(['client', 'disable', 'branch']);
  assert.equal((await ask()).status, 200, 'this node has it in its configuration');
  // this node writes it again
  await server.sql("UPDATE oas_clients SET seen_at = clock_timestamp() - interval '1 minute', config_hash = 'of another node' WHERE client_id = 'branch'");
  await server.reload({ 'test.conf': (text) => text.replace('"branch">', '"branch">\nOAuth2ASName "Branch office"') });
  await until('the configured clients are written', () => server.count('oas_clients', "metadata->>'client_name' = 'Branch office' AND seen_at > clock_timestamp() - interval '30 seconds'"));
  assert.equal(await state(), 'disabled');
  await server.reload({ 'test.conf': (text) => text.replace(/<OAuth2ASClient "branch">[^]*?<\/OAuth2ASClient>\n/, '') });
  assertError(await ask(), 401, 'invalid_client');
  await change(['client', 'enable', 'branch']);
  assert.equal(await state(), 'active');
  assert.equal((await ask()).status, 200, 'another node may have it');
});

/** What changes is so for every process within five seconds. */
const everywhere = () => sleep(5500);

const own = (secret) => token(server, { grant_type: 'client_credentials', audience: api }, { authorization: basic('job', secret) });

test('secrets are two until the older one is retired; a disabled client is none until it is enabled again', async () => {
  const job = await ctl(['client', 'add', '-'], JSON.stringify({ client_id: 'job', grant_types: ['client_credentials'], allow: shop.allow }));
  const answer = await own(job.client_secret);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json.scope, 'read:items');

  secrets.push((await ctl(['client', 'secret', 'shop'])).client_secret);
  await change(['client', 'disable', 'job']);
  await everywhere();
  assert.deepEqual([await known(secrets[0]), await known(secrets[1])], [true, true]);
  assertError(await own(job.client_secret), 401, 'invalid_client');

  await change(['client', 'secret', 'shop', '--retire']);
  await change(['client', 'enable', 'job']);
  await everywhere();
  assert.deepEqual([await known(secrets[0]), await known(secrets[1])], [false, true]);
  assert.equal((await own(job.client_secret)).status, 200);
});

test('a grant is found, its lineage shown, and ended', async () => {
  const held = await begin();
  const next = (await use(held)).json;
  const { grant_id, sub } = decode(held.access_token).claims;
  const listed = await ctl(['grant', 'list', '--sub', sub, '--client', 'shop']);
  assert.deepEqual(listed.filter((grant) => grant.grant_id === grant_id).map(({ state, generation, resource }) => [state, generation, resource]), [['live', 2, api]]);
  const tree = await ctl(['grant', 'tree', '--', grant_id]);
  assert.deepEqual(tree.tokens.map((row) => [row.generation, row.parent, row.state]), [[1, null, 'replaced'], [2, 1, 'live']]);
  await change(['grant', 'revoke', '--grant', grant_id]);
  assertError(await use(next), 400, 'invalid_grant');
  assert.equal((await userinfo(server, next.access_token)).status, 401);
  assert.equal((await ctl(['grant', 'tree', '--', grant_id])).revoked_reason, 'administrator');
});

test('all grants of an application end, those of others do not', async () => {
  const [mine, other] = [await begin(), await offline(server)];
  await change(['grant', 'revoke', '--client', 'shop']);
  assertError(await use(mine), 400, 'invalid_grant');
  assert.equal((await refresh(server, other.refresh_token)).status, 200);
  assert.deepEqual(await ctl(['grant', 'list', '--client', 'shop']), []);
  // what the user allowed is remembered: the next grant needs a sign-in only
  assert.equal((await use(await begin())).status, 200);
});

test('the role of httpd can neither list nor end as an administrator does', async () => {
  const may = await server.sql(
    "SELECT proname FROM pg_proc WHERE proname ~ '^oas_(grants|sessions)_(list|end_before|revoke|end)_[0-9]$' AND has_function_privilege('oauth2as', oid, 'EXECUTE')",
  );
  assert.deepEqual(may, []);
});

test('each change is a line of the audit log, beside those of httpd', () => {
  const all = lines();
  const admin = all.filter(({ event }) => event === 'admin');
  assert.deepEqual(
    [...new Set(admin.map(({ action }) => action))].sort(),
    ['client add', 'client disable', 'client enable', 'client secret', 'grant revoke'],
  );
  for (const line of admin) {
    assert.equal(line.issuer, server.issuer);
    assert.ok(line.admin && line.time && (line.client_id || line.grant_id), JSON.stringify(line));
  }
  assert.ok(all.some(({ event }) => event === 'token'));
  for (const secret of secrets) assert.ok(!fs.readFileSync(log, 'utf8').includes(secret));
});
