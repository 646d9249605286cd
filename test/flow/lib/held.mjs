// SPDX-License-Identifier: Apache-2.0
// What the processes of a server hold: descriptors, memory that they share, connections to the database. Kinds and
// sizes instead of numbers that are new each time, so that two looks can be compared.
import fs from 'node:fs';
import path from 'node:path';

/** What each descriptor of the process is; one that is closed meanwhile is none. */
export function descriptorsOf(pid) {
  const folder = `/proc/${pid}/fd`;
  const names = fs.readdirSync(folder).map((fd) => {
    try {
      return fs.readlinkSync(path.join(folder, fd)).replace(/:\[\d+\]$/, '');
    } catch {
      return undefined;
    }
  });
  return names.filter((name) => name !== undefined).sort();
}

/** Mappings of memory that others can write to as well. */
export function sharedBy(pid) {
  return fs
    .readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .map((line) => /^([0-9a-f]+)-([0-9a-f]+) rw-s \S+ \S+ \S+ *(.*)$/.exec(line))
    .filter(Boolean)
    .map(([, from, to, name]) => `${(parseInt(to, 16) - parseInt(from, 16)) / 1024} kB ${name}`)
    .sort();
}

/** Kilobytes of memory of its own, with what its children have from it: that is not private as long as they live. */
export function memoryIn(pid) {
  return Number(/Anonymous: +(\d+)/.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);
}

/** When the process began, in seconds since 1970. */
function beginOf(pid) {
  const ticks = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[19];
  return Number(/^btime (\d+)/m.exec(fs.readFileSync('/proc/stat', 'utf8'))[1]) + ticks / 100;
}

/** System V segments that the process made, attached or not; what is older was left by another one of that number. */
export function segmentsOf(pid) {
  const begun = Math.floor(beginOf(pid)) - 1;
  return fs
    .readFileSync('/proc/sysvipc/shm', 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => Number(fields[4]) === pid && Number(fields[13]) >= begun)
    .map((fields) => `${fields[3]} bytes`);
}

/** How many connections to the database the server has. */
export async function connectionsOf(server) {
  return Number((await server.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'oauth2as'", 'postgres'))[0][0]);
}

/** DBDMax of the MPM that runs. */
export function poolOf(server) {
  const conf = fs.readFileSync(path.join(server.nodes[0].home, 'httpd.conf'), 'utf8');
  const section = process.env.OAS_MPM === 'prefork' ? 'mpm_prefork_module' : '!mpm_prefork_module';
  return Number(new RegExp(`<IfModule ${section}>[^<]*DBDMax (\\d+)`).exec(conf)[1]);
}
