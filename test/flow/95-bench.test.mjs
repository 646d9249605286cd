// SPDX-License-Identifier: Apache-2.0
// What bench/ measures with works: the probe and the load driver are built, every case runs for a moment against server and
// probe without a wrong answer, and no case sends the database more statements than it has to. Nothing is timed here.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { cases } from '../../bench/lib/cases.mjs';
import { Tokens, fill } from '../../bench/lib/fill.mjs';
import { measure } from '../../bench/lib/measure.mjs';
import { record } from '../../bench/lib/record.mjs';
import { table, verdict } from '../../bench/lib/report.mjs';
import { Bench, build } from '../../bench/lib/server.mjs';
import { request } from './lib/http.mjs';
import { top } from './lib/instance.mjs';
import { decode } from './lib/oauth.mjs';

const connections = 2;
let bench;
let recorded;

before(async () => {
  execFileSync('make', ['-s', '-C', build, 'bench'], { stdio: 'pipe' });
  bench = await Bench.start({ fsync: false, users: connections + 1 });
  recorded = await record(bench, cases);
});

after(async () => {
  await bench?.server.checkLog();
  await bench?.stop();
});

for (const one of cases) {
  test(`${one.title}: server and probe answer, and the database is asked no more than it has to be`, async () => {
    assert.equal(recorded[one.id].flatMap(({ statements }) => statements).length, one.statements);
    for (const target of ['server', 'probe', ...(one === cases[0] ? ['nothing', 'static'] : [])]) {
      let found = { rounds: 0 };
      for (const time of [100, 1000, 10_000]) if (found.rounds === 0) found = await measure(bench, one, target, { connections, warm: 0, time }); // what a slow machine needs
      assert.ok(found.rounds > 0, `${target} answered ${found.answered} requests`);
      assert.equal(found.errors, 0);
    }
  });
}

test('the probe signs for each answer anew, with the key of the server', async () => {
  const ask = (where) =>
    request(`http://127.0.0.1:${where}`, { form: { grant_type: 'client_credentials', audience: 'https://es256.example.test/' }, headers: { authorization: bench.basic('worker') } });
  const name = 'client-credentials-ES256/0';
  const [first, second] = [await ask(`${bench.probePort}/probe/${name}`), await ask(`${bench.probePort}/probe/${name}`)];
  const served = await ask(`${bench.port}/oauth/token`);
  assert.equal(first.text.length, served.text.length);
  assert.deepEqual(Object.keys(first.headers).sort(), Object.keys(served.headers).sort());
  const tokens = [first, second].map(({ json }) => json.access_token);
  assert.notEqual(tokens[0], tokens[1]);
  assert.deepEqual(decode(tokens[0]), decode(tokens[1]));
  const { keys } = (await request(bench.server.url('.well-known/jwks.json'))).json;
  const key = await crypto.subtle.importKey('jwk', keys.find(({ alg }) => alg === 'ES256'), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']);
  for (const token of tokens) {
    const at = token.lastIndexOf('.');
    const good = await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, Buffer.from(token.slice(at + 1), 'base64url'), Buffer.from(token.slice(0, at)));
    assert.ok(good);
  }
});

test('a wrong answer is an error of the load driver', async () => {
  const [one] = cases;
  const wrong = { ...one, id: `${one.id}`, steps: (of) => one.steps(of).map((step) => ({ ...step, expect: '200 "refresh_token"' })) };
  await assert.rejects(measure(bench, wrong, 'server', { connections, warm: 0, time: 50 }), /not what was expected/);
});

test('rotations go round among families that were filled in, and carry on with what they have become', async () => {
  const rotation = cases.find(({ id }) => id === 'rotation-ES256');
  await fill(bench, (await bench.server.count('oas_refresh_tokens')) + 80);
  const tokens = new Tokens(bench, 6);
  await tokens.extend();
  assert.equal(tokens.byGrant.size, 6);
  const before = [...tokens.byGrant.values()];
  for (let round = 0; round < 2; round++) {
    tokens.give(rotation, connections);
    assert.equal((await measure(bench, rotation, 'server', { connections, warm: 0, time: 100 })).errors, 0);
    tokens.takeBack(rotation);
  }
  assert.ok([...tokens.byGrant.values()].some((token) => !before.includes(token)));
  assert.equal(tokens.byGrant.size, 6);
});

test('results are drawn', () => {
  const facts = { date: 'today', machine: 'this', load: 0 };
  const one = { title: 'A < B', ratio: 0.8, share: 0.9, rate: 8, probe: { rate: 10 } };
  const rates = { rotation: { rate: 5 }, code: { rate: 3 } };
  const scale = { rows: [{ rows: 1e4, ...rates }, { rows: 1e7, ...rates }], connections: [{ connections: 1, ...rates }] };
  for (const [name, results, expected] of [['run', { facts, cases: [one] }, 'A &lt; B'], ['scale', { facts, scale }, '10⁷']]) {
    const file = path.join(bench.home, `${name}.json`);
    fs.writeFileSync(file, JSON.stringify(results));
    const drawn = execFileSync(path.join(top, 'bench/plot'), [file], { encoding: 'utf8' });
    assert.match(drawn, /^<svg [^]*<\/svg>\n$/);
    assert.ok(drawn.includes(expected));
  }
});

test('the last line names the cases below their share', () => {
  const of = (ratio) => ({ id: 'a', title: 'A', share: 0.9, rate: 1, ratio, p50: 1, p99: 2, cpu: 1, cpuRatio: 1, statements: 0, statementsAllowed: 0, probe: { rate: 1 } });
  assert.deepEqual(verdict({ cases: [of(0.95)] }), { good: true, line: 'every case reaches its share of the probe, within a quarter more of the CPU' });
  assert.deepEqual(verdict({ cases: [{ ...of(0.95), cpuRatio: 1.3 }] }), { good: false, line: "more than 1.25 times the probe's CPU: a 1.30" });
  assert.deepEqual(verdict({ cases: [of(0.95), of(0.8)] }), { good: false, line: 'below their share of the probe: a 0.80 of 0.90' });
  const whole = (resident, firstAnswer) => verdict({ cases: [of(0.95)], memory: { loaded: { resident } }, firstAnswer });
  assert.equal(whole(45, 60).good, true);
  assert.deepEqual(whole(45.2, 61), { good: false, line: 'memory after the load 45.2 MiB of 45; first answer after 61 ms of 60' });
  assert.match(table({ cases: [of(0.8)] }), /\| A \| 1 \|  \| 1 \| 0\.80 \| 0\.90 \|/);
});
