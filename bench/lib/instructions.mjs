// SPDX-License-Identifier: Apache-2.0
// Instructions of one request, counted by callgrind in an httpd of one process and few threads. Unlike times they are the same
// on a busy machine.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { measure } from './measure.mjs';

const execute = promisify(execFile);

async function counted(bench, run) {
  const out = path.join(bench.home, 'callgrind.out');
  const control = (...args) => execute('callgrind_control', [...args, String(bench.server.pid)]);
  await control('-z');
  const before = fs.readdirSync(bench.home).filter((name) => name.startsWith('callgrind.out'));
  const { answered, requests, rounds } = await run();
  await control('-d');
  const [name] = fs.readdirSync(bench.home).filter((file) => file.startsWith('callgrind.out') && !before.includes(file));
  const text = fs.readFileSync(path.join(bench.home, name ?? path.basename(out)), 'utf8');
  const total = Number(/^(?:totals|summary): (\d+)/m.exec(text)[1]);
  return (total / answered) * Math.max(1, Math.round(requests / Math.max(1, rounds)));
}

/** Instructions of a round (of all steps) of each case, by id and target. */
export async function instructions(bench, cases, targets = ['server', 'probe']) {
  const conf = fs.readFileSync(bench.conf, 'utf8');
  const few = conf.replace('ThreadsPerChild 32', 'ThreadsPerChild 4').replace('MaxRequestWorkers 64', 'MaxRequestWorkers 4').replace('MaxSpareThreads 64', 'MaxSpareThreads 4');
  const found = {};
  fs.writeFileSync(bench.conf, few);
  try {
    await bench.restart({ wrapper: ['valgrind', '--tool=callgrind', `--callgrind-out-file=${bench.home}/callgrind.out`] });
    for (const one of cases) {
      found[one.id] = {};
      for (const target of targets) {
        await measure(bench, one, target, { connections: 4, warm: 0, time: 2000 });
        found[one.id][target] = await counted(bench, () => measure(bench, one, target, { connections: 1, warm: 0, time: 3000 }));
      }
    }
  } finally {
    fs.writeFileSync(bench.conf, conf);
    await bench.restart();
  }
  return found;
}
