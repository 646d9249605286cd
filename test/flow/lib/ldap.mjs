// SPDX-License-Identifier: Apache-2.0
// A private OpenLDAP server on a loopback port, with a few people in it.
import { execFileSync, spawn } from 'node:child_process';
import { after } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { freePort, until } from './instance.mjs';

const slapd = ['/usr/sbin/slapd', '/usr/lib/openldap/slapd', '/usr/libexec/slapd'].find((file) => fs.existsSync(file));
const suffix = 'dc=example,dc=test';

function answers(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

const config = (dir) => `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${dir}/slapd.pid
argsfile ${dir}/slapd.args
database mdb
maxsize 10485760
suffix "ou=locked,${suffix}"
subordinate
restrict bind
rootdn "cn=admin,${suffix}"
directory ${dir}/locked
access to * by * read
database mdb
maxsize 10485760
suffix "${suffix}"
rootdn "cn=admin,${suffix}"
directory ${dir}/data
access to attrs=userPassword by anonymous auth by * none
access to * by * read
`;

/** An entry as LDIF; several values are an array, all of them in base64, since they need not be ASCII. */
const lines = (dn, attributes) =>
  [['dn', dn], ...Object.entries(attributes).flatMap(([name, value]) => [value].flat().map((one) => [name, one]))]
    .map(([name, value]) => `${name}:: ${Buffer.from(value).toString('base64')}\n`)
    .join('');

const entries = (people) => [
  `dn: ${suffix}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n`,
  ...['people', 'staff', 'locked'].map((ou) => `dn: ou=${ou},${suffix}\nobjectClass: organizationalUnit\nou: ${ou}\n`),
  ...people.map(({ uid, cn, mail, password, sn = cn, ou = 'people', more = {} }) => lines(`uid=${uid},ou=${ou},${suffix}`, { objectClass: 'inetOrgPerson', uid, cn, sn, mail, userPassword: password, ...more })),
].join('\n');

/**
 * Starts a directory for the test file that calls this, and stops it behind the last test.
 * @param people array of {uid, cn, mail, password}, perhaps sn, ou (people, staff, or locked, where no password is ever
 * checked: unwillingToPerform), and more: further attributes, which may replace these
 * @returns {Promise<{url: string, base: string, baseOf: (ou: string) => string, stop: () => Promise<void>, start: () => Promise<void>}>} url is for
 * AuthLDAPURL, base is that without attributes
 */
export async function startDirectory(people) {
  assert.ok(slapd, 'no slapd found; install OpenLDAP (Debian: slapd)');
  const dir = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'oas-ldap-'));
  const port = await freePort();
  let child;
  fs.mkdirSync(`${dir}/data`);
  fs.mkdirSync(`${dir}/locked`);
  fs.writeFileSync(`${dir}/slapd.conf`, config(dir));
  fs.writeFileSync(`${dir}/people.ldif`, entries(people));
  execFileSync(slapd, ['-T', 'add', '-f', `${dir}/slapd.conf`, '-l', `${dir}/people.ldif`], { stdio: 'pipe' });
  const start = async () => {
    child = spawn(slapd, ['-f', `${dir}/slapd.conf`, '-h', `ldap://127.0.0.1:${port}/`, '-d', '0'], { stdio: 'ignore' });
    await until('slapd starts', () => {
      assert.equal(child.exitCode, null, 'slapd does not start');
      return answers(port);
    });
  };
  const stop = async () => {
    if (child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill();
    await ended;
  };
  await start();
  after(async () => {
    await stop();
    fs.rmSync(dir, { recursive: true, force: true });
  });
  const baseOf = (ou) => `ldap://127.0.0.1:${port}/ou=${ou},${suffix}`;
  const base = baseOf('people');
  return { url: `${base}?uid,mail,cn`, base, baseOf, start, stop };
}
