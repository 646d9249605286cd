// SPDX-License-Identifier: Apache-2.0
// A private Kerberos realm: a KDC on a loopback port, with files of its own.
import { execFileSync, spawn } from 'node:child_process';
import { after } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './instance.mjs';

export const realm = 'EXAMPLE.TEST';
const krb5kdc = '/usr/sbin/krb5kdc';

const clientConf = (port) => `[libdefaults]
default_realm = ${realm}
dns_lookup_kdc = false
dns_lookup_realm = false
rdns = false
dns_canonicalize_hostname = false
udp_preference_limit = 1
[realms]
${realm} = {
  kdc = 127.0.0.1:${port}
}
[domain_realm]
localhost = ${realm}
`;

const kdcConf = (dir, port) => `[kdcdefaults]
kdc_listen = ""
kdc_tcp_listen = 127.0.0.1:${port}
[realms]
${realm} = {
  database_name = ${dir}/principal
  key_stash_file = ${dir}/stash
  acl_file = ${dir}/kadm5.acl
}
`;

/**
 * Starts a realm for the test file that calls this, and stops it behind the last test.
 * @param people array of {name, password}
 * @returns conf: for KRB5_CONFIG; keytab: with the key of HTTP/localhost; ticket(name, password): a file for KRB5CCNAME
 */
export async function startRealm(people) {
  assert.ok(fs.existsSync(krb5kdc), 'no krb5kdc found; install MIT Kerberos (Debian: krb5-kdc krb5-admin-server krb5-user)');
  const dir = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'oas-krb5-'));
  const port = await freePort();
  const env = { ...process.env, KRB5_CONFIG: `${dir}/krb5.conf`, KRB5_KDC_PROFILE: `${dir}/kdc.conf` };
  const keytab = `${dir}/http.keytab`;
  const commands = [
    ...people.map(({ name, password }) => `addprinc -pw "${password}" ${name}`),
    'addprinc -randkey HTTP/localhost',
    `ktadd -k ${keytab} HTTP/localhost`,
  ];
  fs.chmodSync(dir, 0o755); // httpd's processes read the keytab
  fs.writeFileSync(env.KRB5_CONFIG, clientConf(port));
  fs.writeFileSync(env.KRB5_KDC_PROFILE, kdcConf(dir, port));
  execFileSync('/usr/sbin/kdb5_util', ['create', '-s', '-r', realm, '-P', 'master key of a test'], { env, stdio: 'pipe' });
  execFileSync('/usr/sbin/kadmin.local', ['-r', realm], { env, input: `${commands.join('\n')}\n`, stdio: 'pipe' });
  fs.chmodSync(keytab, 0o644);
  const kdc = spawn(krb5kdc, ['-n', '-r', realm], { env: { ...env, KRB5_TRACE: '/dev/null' }, stdio: 'ignore', cwd: dir });
  after(async () => {
    if (kdc.exitCode === null) {
      kdc.kill();
      await once(kdc, 'exit');
    }
    fs.rmSync(dir, { recursive: true, force: true });
  });
  for (let tries = 0; ; tries++) {
    const up = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (up) break;
    assert.ok(tries < 1200 && kdc.exitCode === null, 'krb5kdc does not answer');
    await sleep(50);
  }
  return {
    conf: env.KRB5_CONFIG,
    keytab,
    ticket(name, password) {
      const cache = `${dir}/ticket-${name}`;
      execFileSync('kinit', ['-c', cache, `${name}@${realm}`], { env, input: `${password}\n`, stdio: 'pipe' });
      return cache;
    },
  };
}
