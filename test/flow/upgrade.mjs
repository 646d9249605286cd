// SPDX-License-Identifier: Apache-2.0
// npm run upgrade (by test/former upgrade): servers of the former release become this one by the commands of
// docs/upgrade.md, as they stand there, while clients and browsers go on: no request fails, and what the former module gave
// is good at the new one, and the other way round.
// OAS_INSTALLED is where "make install" has put the former release, OAS_FORMER its build tree.
import test, { describe } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { bringUp, until } from './lib/instance.mjs';
import { request } from './lib/http.mjs';
import { allRounds, keepRunning, loadConf } from './lib/load.mjs';
import { recipe } from './lib/recipe.mjs';
import { authorization, authorizeUrl, basic, callbackOf, client, getCode, introspect, offline, redeem, refresh, revoke, secretOf, userinfo } from './lib/oauth.mjs';

const strict = client('strict', { extra: ['OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on', 'OAuth2ASRefreshReuseWindow 0'] });
const strictly = { client_id: 'strict' };
const asWeb = { authorization: basic('web', secretOf('web')) };
const run = promisify(execFile);
const find = async (folder, ...test) => (await run('find', [folder, ...test])).stdout.trim();

/** The instance as one node of it, past the balancer. */
const at = (server, node) => Object.assign(Object.create(server), { url: node.url });

/** apachectl of a node, as distributions have it: no httpd of this machine is touched. */
function makeApachectl(server, node) {
  const httpd = /^HTTPD = (.*)$/m.exec(fs.readFileSync(path.join(path.dirname(server.env.OAUTH2ASCTL), 'Makefile'), 'utf8'))[1];
  const conf = `${node.home}/httpd.conf`;
  fs.mkdirSync(`${node.home}/bin`);
  fs.writeFileSync(`${node.home}/bin/apachectl`, `#!/bin/sh\ncase $1 in configtest) exec ${httpd} -f ${conf} -t ;; *) exec ${httpd} -f ${conf} -k "$1" ;; esac\n`, { mode: 0o755 });
}

/** Carries out one block of commands on a node; returns what it says. */
async function follow(server, node, name, places = {}, edit = (script) => script) {
  const tool = path.dirname(await find(`${node.home}/root`, '-name', 'oauth2asctl', '-type', 'f'));
  const script = edit(recipe(name, places, 'upgrade.md'));
  const { stdout, stderr } = await run('bash', ['-uc', script], { env: { ...process.env, PATH: `${node.home}/bin:${tool}:${process.env.PATH}` } });
  return stdout + stderr;
}

/** The release that is in this build tree, on the disk of a node. */
const install = (server, node, build, edit) =>
  follow(server, node, 'upgrade-install', { '/etc/apache2/oauth2as/drain': `${node.home}/drain`, 'make install': `make -s -C ${build} install DESTDIR=${node.home}/root >/dev/null` }, edit);

async function applySchema(server, node) {
  const { PGHOST, PGPORT, PGDATABASE, PGUSER } = server.env;
  const files = await find(`${node.home}/root`, '-path', '*/share/*', '-name', 'schema');
  const said = await follow(server, node, 'upgrade-schema', {
    'host=db.example.com dbname=oauth2as user=oauth2as_owner': `host=${PGHOST} port=${PGPORT} dbname=${PGDATABASE} user=${PGUSER}`,
    'schema apply': `schema apply --dir ${files}`,
    'https://login.example.com/': server.issuer,
  });
  assert.match(said, /too old: run oauth2asctl schema apply before servers are updated[\s\S]*up to date/);
}

/** Starts what is on the node's disk; returns when no process runs anything else. */
async function start(server, node, edit) {
  const url = new URL(node.url());
  const old = new Set(await server.children([node]));
  const said = await follow(server, node, 'upgrade-start', { '/etc/apache2/oauth2as/drain': `${node.home}/drain`, 'login.example.com': url.hostname, 'http://127.0.0.1:8080': url.origin }, edit);
  assert.match(said, /Syntax OK/);
  await until('the old processes end', async () => !(await server.children([node])).some((pid) => old.has(pid)));
  for (const pid of [node.pid, ...(await server.children([node]))]) {
    assert.doesNotMatch(fs.readFileSync(`/proc/${pid}/maps`, 'utf8'), /mod_oauth2as\.so \(deleted\)/, `process ${pid} runs what was there before`);
  }
  return said;
}

const isReady = (said) => assert.match(said, /\{"status":"ready","checks":\{"database":"ok","schema":"ok","keys":"ok","draining":"no"\}\}/);

/** What an administrator tells HAProxy of a node. */
async function tellBalancer(server, node, state) {
  const socket = net.connect(`${server.nodes[0].home}/run/haproxy.sock`);
  let said = '';
  socket.on('data', (text) => (said += text));
  socket.end(`set server nodes/node${server.nodes.indexOf(node) + 1} state ${state}\n`);
  await new Promise((resolve, reject) => socket.on('close', resolve).on('error', reject));
  assert.equal(said.trim(), '');
}

/** The whole of it for a node that can be emptied. */
async function exchange(server, node, build, between = async () => {}) {
  await tellBalancer(server, node, 'drain');
  await install(server, node, build);
  await between();
  const said = await start(server, node);
  await tellBalancer(server, node, 'ready');
  return said;
}

/** What clients and browsers have; `good` is asked at an instance whether it still is. */
async function holdings(server) {
  const families = [await offline(server, strictly, strictly), await offline(server, strictly, strictly)];
  const web = await offline(server, { client_id: 'web' }, { client_id: undefined }, asWeb);
  const leaver = await offline(server, { client_id: 'leaver' }, { client_id: 'leaver' });
  const { surfer } = await getCode(server);
  return {
    async good(where) {
      for (const held of [...families, web]) assert.equal((await userinfo(where, held.access_token)).status, 200);
      for (const held of families) {
        const answer = await refresh(where, held.refresh_token, strictly);
        assert.equal(answer.status, 200, answer.text);
        Object.assign(held, answer.json);
      }
      assert.equal((await introspect(where, { token: web.access_token }, asWeb)).json.active, true);
      assert.equal((await introspect(where, { token: web.refresh_token }, asWeb)).json.active, true);
    },
    async silently() {
      const { params, verifier } = authorization({ prompt: 'none' });
      const back = callbackOf(await surfer.go(authorizeUrl(server, params)));
      assert.ok(back.code, JSON.stringify(back));
      return { ...back, params, verifier };
    },
    async end() {
      assert.equal((await revoke(server, { token: web.refresh_token }, asWeb)).status, 200);
      assert.equal((await userinfo(server, web.access_token)).status, 401, 'what the former module gave can be revoked');
      const asked = await leaver.got.surfer.send(server.url('oidc/logout', { id_token_hint: leaver.id_token, post_logout_redirect_uri: 'https://app.example.test/out' }));
      assert.ok([200, 302].includes(asked.status), 'and its ID token is a hint');
    },
  };
}

/** A client that uses its refresh token over and over; nobody forgives it a second use. */
async function rotation(server) {
  let held = await offline(server, strictly, strictly);
  return async () => {
    const answer = await refresh(server, held.refresh_token, strictly);
    assert.equal(answer.status, 200, answer.text);
    held = answer.json;
    assert.equal((await userinfo(server, held.access_token)).status, 200);
  };
}

/** Requests of every kind all the time; `over` ends that: no request may have failed. */
async function underLoad(t, server) {
  const { surfer } = await getCode(server);
  const workers = [...(await Promise.all([rotation(server), rotation(server), rotation(server)])).map((round) => [round, 1]), [allRounds(server, surfer), 3]];
  const stops = workers.map(([round, count]) => keepRunning(t, round, count));
  return {
    async over() {
      const seen = await Promise.all(stops.map((stop) => stop()));
      for (const { good, bad } of seen) {
        assert.deepEqual(bad, []);
        assert.ok(good > 0, 'no round was made');
      }
      console.log(`${seen.reduce((sum, { good }) => sum + good, 0)} rounds of every kind during the upgrade`);
    },
  };
}

const versionOf = async (server) => Number((await server.sql('SELECT max(version) FROM oas_schema'))[0][0]);
const { OAS_FORMER: former } = process.env;

/** The server stops, and its nodes have had nothing to complain of. */
async function end(server) {
  await server.stop();
  await server.checkLog();
  server.remove();
}

/** A server of the former release for the test that calls this. */
async function startFormer(t, nodes) {
  const server = await bringUp({ nodes, conf: loadConf + strict });
  t.after(() => server.stop());
  server.build = path.dirname(server.env.OAUTH2ASCTL);
  for (const node of server.nodes) makeApachectl(server, node);
  return server;
}

describe('an upgrade by docs/upgrade.md while everything goes on', () => {
  test('two nodes, one after the other, and back', async (t) => {
    const server = await startFormer(t, 2);
    const [first, second] = server.nodes;
    const before = await versionOf(server);
    const held = await holdings(server);
    const load = await underLoad(t, server);
    const everywhere = async () => {
      for (const node of server.nodes) await held.good(at(server, node));
      const [one, two] = [await held.silently(), await held.silently()];
      assert.equal((await redeem(at(server, first), one)).status, 200);
      assert.equal((await redeem(at(server, second), two)).status, 200);
    };
    await everywhere();
    isReady(
      await exchange(server, first, server.build, async () => {
        await applySchema(server, first);
        assert.equal(await versionOf(server), before + 1);
        await held.good(at(server, second)); // the former module, on the new schema
      }),
    );
    await everywhere();
    isReady(await exchange(server, second, server.build));
    await everywhere();
    await exchange(server, second, former);
    assert.equal((await request(second.url('oauth2as/ready'))).status, 404, 'this is the former module');
    await everywhere();
    isReady(await exchange(server, second, server.build));
    await everywhere();
    await load.over();
    await held.end();
    await end(server);
  });

  test('a single server, by a graceful restart', async (t) => {
    const server = await startFormer(t, 1);
    const [node] = server.nodes;
    const held = await holdings(server);
    const load = await underLoad(t, server);
    const alone = (script) => script.replace(/^ *(touch|rm|sleep 10).*\n/gm, '').replace('apachectl restart', 'apachectl graceful');
    const code = await held.silently();
    await install(server, node, server.build, alone);
    await applySchema(server, node);
    await held.good(server);
    isReady(await start(server, node, alone));
    assert.equal((await redeem(server, code)).status, 200, 'a code of the former module');
    await held.good(server);
    await held.silently();
    await load.over();
    await held.end();
    await end(server);
  });
});
