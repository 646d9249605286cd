// SPDX-License-Identifier: Apache-2.0
// The time of an answer does not tell whether an account exists: not with a directory, not with a file of slow hashes.
// What is compared are medians, and limits are wide: without the pace of failures they would be many times apart.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { startInstance } from './lib/instance.mjs';
import { startDirectory } from './lib/ldap.mjs';
import { Surfer } from './lib/surfer.mjs';
import { authorization, authorizeUrl, client } from './lib/oauth.mjs';

const directory = await startDirectory([{ uid: 'dora', cn: 'Dora', mail: 'dora@example.test', password: 'ldap word' }]);
// Perl's crypt() is libcrypt's
const slow = execFileSync('perl', ['-e', 'print crypt("x", "\\$6\\$rounds=400000\\$abcdefgh")'], { encoding: 'utf8' });
const fast = execFileSync('openssl', ['passwd', '-apr1', 'x'], { encoding: 'utf8' }).trim();
const server = await startInstance({
  args: ['--module', 'ldap', '--module', 'authnz_ldap'],
  prepare: (dir) => fs.writeFileSync(`${dir}/people`, `frank:${fast}\ngail:${slow}\n`),
  conf: `${client('own')}
    OAuth2ASPasswordProvider ldap file oauth2as
    OAuth2ASThrottle pair=1000 account=1000 address=1000
    <Location "/authorize">
      AuthUserFile \${OAS_DIR}/people
      AuthLDAPURL "${directory.url}"
    </Location>\n`,
});

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

/** Median time of a wrong password for each user, asked in turn; one browser, one form. */
async function times(users, rounds) {
  const surfer = new Surfer(server);
  const page = await surfer.go(authorizeUrl(server, authorization({ client_id: 'own' }).params));
  const took = Object.fromEntries(users.map((username) => [username, []]));
  for (let round = 0; round < rounds; round++) {
    for (const username of users) {
      const begun = performance.now();
      const answer = await surfer.submit(page, { username, password: 'wrong' });
      took[username].push(performance.now() - begun);
      assert.equal(answer.status, 200);
    }
  }
  return Object.values(took).map(median);
}

/** Asks again when they are not alike: what else the machine does may hit some more than others, but not each time. */
async function assertAlike(users, rounds, least) {
  const seen = [];
  for (let tries = 0; tries < 5; tries++) {
    const medians = await times(users, rounds);
    const [low, high] = [Math.min(...medians), Math.max(...medians)];
    assert.ok(low >= least, `${medians} ms`);
    if (high / low < 1.5) return;
    seen.push(`${medians} ms`);
  }
  assert.fail(seen.join('; '));
}

test('known to a directory, to a file, to nobody, or no name at all', async () => {
  await assertAlike(['dora', 'frank', 'alice', 'nobody-here', 'x'.repeat(5000)], 7, 195);
});

test('a file whose hashes take longer than failures usually do', async () => {
  await server.reload({ 'test.conf': (text) => text.replace('ldap file oauth2as', 'file') });
  await Promise.all(Array.from({ length: 4 }, () => times(['gail'], 4))); // each process learns from what it sees itself
  await assertAlike(['gail', 'nobody-here'], 9, 195);
});
