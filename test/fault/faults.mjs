// SPDX-License-Identifier: Apache-2.0
// The accidents. Each breaks something, waits, mends it, and returns when the database could be written to again; what
// an accident leaves to be done before the next one is `after`.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { signal } from './bed.mjs';

const run = promisify(execFile);

const signalAll = (pids, name) => pids.forEach((pid) => signal(pid, name));

async function restart(bed, mode, pause) {
  await bed.postgres('stop', { args: [mode] });
  await sleep(pause);
  await bed.postgres('start');
  return bed.writable();
}

const openFiles = (pid) => fs.readdirSync(`/proc/${pid}/fd`).length;
const softLimit = async (pid) => (await run('prlimit', ['--pid', String(pid), '--nofile', '--output', 'SOFT', '--noheadings'])).stdout.trim();

/** Fills the disk but for what cannot be had. */
function fillDisk(home) {
  const file = fs.openSync(path.join(home, 'ballast'), 'w');
  const block = Buffer.alloc(1 << 20);
  for (let size = block.length; size >= 4096; size >>= 1) {
    try {
      for (;;) fs.writeSync(file, block, 0, size);
    } catch (error) {
      if (error.code !== 'ENOSPC') throw error;
    }
  }
  fs.closeSync(file);
}

/** The database is not away in these: httpd takes the time that its processes take to start. */
export const ofHttpd = new Set(['child of httpd killed', 'graceful restarts', 'MaxConnectionsPerChild', 'node stopped', 'out of file descriptors']);

/** Every request that is made in these is answered. */
export const quiet = new Set(['graceful restarts', 'MaxConnectionsPerChild']);

/** ms more until there is service: a machine that says nothing is given up by connect_timeout (2 s), by one who connects
 * and, where he began before the other machine took over, by another one. */
export const silence = new Map([['failover from a silent machine', 4000]]);

async function withoutStandby(bed, pause, meanwhile = () => {}) {
  const member = 3 - bed.primary;
  await bed.postgres('stop', { member, args: ['immediate'] });
  await sleep(pause / 2);
  meanwhile();
  await sleep(pause / 2);
  await bed.postgres('start', { member });
  return bed.writable();
}

/** The standby takes over; the old primary comes back as its standby. */
async function takeOver(bed) {
  const standby = 3 - bed.primary;
  await bed.postgres('promote', { member: standby });
  bed.primary = standby;
  return bed.writable();
}

export const faults = {
  'restart, fast': (bed, random) => restart(bed, 'fast', random.between(0, 1500)),
  'restart, immediate': (bed, random) => restart(bed, 'immediate', random.between(0, 1500)),

  async 'postmaster killed'(bed, random) {
    await bed.kill();
    await sleep(random.between(100, 2000));
    await bed.postgres('start');
    return bed.writable();
  },

  /** PostgreSQL ends all sessions and recovers by itself. */
  async 'backend killed'(bed) {
    const [[pid]] = await bed.admin("SELECT pid FROM pg_stat_activity WHERE usename = 'oauth2as' ORDER BY query_start DESC LIMIT 1");
    signal(Number(pid), 'SIGKILL');
    await sleep(50);
    return bed.writable();
  },

  async 'backends terminated'(bed, random) {
    for (let times = random.between(1, 8); times > 0; times--) {
      await bed.terminate();
      await sleep(random.between(20, 150));
    }
    return bed.writable();
  },

  /** The primary dies; its synchronous standby takes over, and it comes back as the standby. */
  async failover(bed, random) {
    await bed.kill();
    await sleep(random.between(0, 2500));
    return { back: await takeOver(bed), after: () => bed.postgres('standby') };
  },

  /** So does its machine: nobody is told that connections have ended, and who connects hears nothing. All have noticed when
   * the standby takes over, and it stays like that for a while. */
  async 'failover from a silent machine'(bed, random) {
    const wire = bed.wires[bed.primary - 1];
    await bed.kill({ silent: true });
    await sleep(random.between(6000, 9000));
    const back = await takeOver(bed);
    const after = async () => {
      await sleep(random.between(1000, 5000));
      await bed.postgres('standby');
      wire.release({ cut: true });
    };
    return { back, after };
  },

  /** Commits wait for a standby that is away. */
  'standby away': (bed, random) => withoutStandby(bed, random.between(2000, 7000)),

  /** For longer than a refresh token may be presented again. */
  'standby away for long': (bed, random) => withoutStandby(bed, random.between(12_000, 25_000)),

  /** Logs are rotated, and the children that know what has to be undone end. */
  'graceful restart without the standby': (bed, random) =>
    withoutStandby(bed, random.between(12_000, 18_000), () => signalAll(bed.nodes.map((node) => bed.pid(node)), 'SIGUSR1')),

  async 'black hole'(bed, random) {
    for (const wire of bed.wires) wire.hold();
    await sleep(random.between(2000, 8000));
    const cut = random.chance(0.5);
    for (const wire of bed.wires) wire.release({ cut });
    return bed.writable();
  },

  /** What is open works, until it is lost. */
  async 'nobody answers new connections'(bed, random) {
    for (const wire of bed.wires) wire.greetNobody();
    await sleep(500);
    await bed.admin("SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE usename = 'oauth2as' ORDER BY random() LIMIT 3) AS victims");
    await sleep(random.between(2000, 5000));
    for (const wire of bed.wires) wire.release();
    return bed.writable();
  },

  async 'server frozen'(bed, random) {
    const pids = await bed.family(bed.postmaster());
    signalAll(pids, 'SIGSTOP');
    await sleep(random.between(2000, 8000));
    signalAll(pids, 'SIGCONT');
    return bed.writable();
  },

  async 'connections cut'(bed, random) {
    for (let times = random.between(1, 10); times > 0; times--) {
      for (const wire of bed.wires) wire.cut();
      await sleep(random.between(10, 150));
    }
    return bed.writable();
  },

  async 'answers lost'(bed, random) {
    for (let times = random.between(4, 16); times > 0; times--) {
      for (const wire of bed.wires) wire.mute();
      await sleep(random.between(5, 60));
    }
    return bed.writable();
  },

  /** More wait for a connection than there are. */
  async 'slow network'(bed, random) {
    for (const wire of bed.wires) wire.delay = random.between(100, 600);
    await sleep(random.between(2000, 4000));
    for (const wire of bed.wires) wire.release();
    return bed.writable();
  },

  /** Statements wait until the server cancels them. */
  async 'tables locked'(bed, random) {
    await bed.lock('LOCK TABLE oas_grants IN ACCESS EXCLUSIVE MODE', random.between(2, 7));
    return bed.writable();
  },

  /** A few families have their rows held for longer than a refresh token may be presented again; all others go on. */
  async 'single rows held'(bed, random) {
    const lately = 'SELECT grant_id FROM oas_refresh_tokens ORDER BY created_at DESC LIMIT 24';
    await bed.lock(`SELECT FROM oas_grants WHERE grant_id IN (${lately}) AND revoked_at IS NULL FOR UPDATE`, random.between(12, 16));
    return bed.writable();
  },

  async 'no connections left'(bed, random) {
    await bed.admin('ALTER ROLE oauth2as CONNECTION LIMIT 3');
    await bed.terminate();
    await sleep(random.between(1500, 4000));
    await bed.admin('ALTER ROLE oauth2as CONNECTION LIMIT -1');
    return bed.writable();
  },

  async 'read-only'(bed, random) {
    await bed.admin("ALTER SYSTEM SET default_transaction_read_only = on");
    await bed.admin('SELECT pg_reload_conf()');
    await sleep(random.between(1500, 4000));
    await bed.admin('ALTER SYSTEM RESET default_transaction_read_only');
    await bed.admin('SELECT pg_reload_conf()');
    return bed.writable();
  },

  /** The server may stop itself, and so may the standby. */
  async 'disk full'(bed, random) {
    if (!bed.disk) return null;
    fillDisk(bed.home);
    await bed.admin('CREATE TABLE fault_filler AS SELECT generate_series(1, 100000)').catch(() => {});
    await sleep(random.between(2000, 4000));
    fs.rmSync(path.join(bed.home, 'ballast'));
    for (const member of [bed.primary, 3 - bed.primary]) await bed.postgres('start', { member }).catch(() => {});
    const back = await bed.writable();
    await bed.admin('DROP TABLE IF EXISTS fault_filler');
    return back;
  },

  async 'child of httpd killed'(bed, random) {
    const workers = await bed.workers(random.pick(bed.nodes));
    const victim = random.pick(workers);
    bed.killed.add(victim);
    signal(victim, random.pick(process.env.OAS_PRELOAD ? ['SIGKILL'] : ['SIGKILL', 'SIGSEGV']));
    await sleep(300);
    return bed.writable();
  },

  async 'graceful restarts'(bed, random) {
    for (let times = random.between(1, 3); times > 0; times--) {
      signal(bed.pid(random.pick(bed.nodes)), 'SIGUSR1');
      await sleep(random.between(200, 900));
    }
    return bed.writable();
  },

  /** Children end after so many connections, and others take their place. */
  async MaxConnectionsPerChild(bed, random) {
    await bed.configure((text) => `${text}MaxConnectionsPerChild ${random.between(100, 500)}\n`);
    await sleep(random.between(3000, 6000));
    await bed.configure((text) => text.replace(/^MaxConnectionsPerChild .*\n/m, ''));
    return bed.writable();
  },

  async 'node stopped'(bed, random) {
    const node = random.pick(bed.nodes);
    await bed.stopNode(node);
    await sleep(random.between(200, 1500));
    await bed.startNode(node);
    return bed.writable();
  },

  async 'out of file descriptors'(bed, random) {
    const workers = await bed.workers(random.pick(bed.nodes));
    const before = [];
    for (const pid of workers) {
      try {
        before.push([pid, await softLimit(pid)]);
        await run('prlimit', ['--pid', String(pid), `--nofile=${openFiles(pid)}:`]);
      } catch {} // it has ended
    }
    await sleep(random.between(1000, 2500));
    for (const [pid, soft] of before) await run('prlimit', ['--pid', String(pid), `--nofile=${soft}:`]).catch(() => {});
    return bed.writable();
  },
};
