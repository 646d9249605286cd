// SPDX-License-Identifier: Apache-2.0
// Instructions of one request, counted by callgrind in an httpd of one process and few threads. Unlike times they are the same
// on a busy machine.
import fs from 'node:fs';
import path from 'node:path';
import { request } from '../../test/flow/lib/http.mjs';
import { measure } from './measure.mjs';

// A TRACE request is the mark between what is counted and what is not; httpd has one function that answers nothing else.
const mark = (bench) => request(`http://127.0.0.1:${bench.probePort}/`, { method: 'TRACE' });
const folder = (bench) => path.join(bench.home, 'run'); // httpd's user can write there
const wrapperOf = (bench) => ['valgrind', '--tool=callgrind', '--vgdb=no', '--dump-before=ap_send_http_trace', `--callgrind-out-file=${folder(bench)}/callgrind`];

/** Instructions since the last mark. */
function lastCount(bench) {
  const numbers = fs.readdirSync(folder(bench)).map((name) => Number(/^callgrind\.(\d+)$/.exec(name)?.[1] ?? 0));
  const text = fs.readFileSync(path.join(folder(bench), `callgrind.${Math.max(...numbers)}`), 'utf8');
  return Number(/^(?:totals|summary): (\d+)/m.exec(text)[1]);
}

async function counted(bench, run) {
  await mark(bench);
  await mark(bench);
  const empty = lastCount(bench);
  const { answered } = await run();
  await mark(bench);
  return (lastCount(bench) - empty) / answered;
}

/** Instructions of a round (all steps) of each case, by id and target. */
export async function instructions(bench, cases, targets = ['server', 'probe', 'nothing']) {
  const conf = fs.readFileSync(bench.conf, 'utf8');
  const few = conf.replace('ThreadsPerChild 32', 'ThreadsPerChild 4').replace('MaxRequestWorkers 64', 'MaxRequestWorkers 4').replace('MaxSpareThreads 64', 'MaxSpareThreads 4');
  const found = {};
  fs.writeFileSync(bench.conf, few);
  try {
    await bench.restart({ wrapper: wrapperOf(bench) });
    for (const one of cases) {
      found[one.id] = {};
      for (const target of targets) {
        await measure(bench, one, target, { connections: 4, warm: 0, time: 2000 });
        const each = await counted(bench, () => measure(bench, one, target, { connections: 1, warm: 0, time: 3000 }));
        found[one.id][target] = each * one.steps(bench).length;
      }
    }
  } finally {
    fs.writeFileSync(bench.conf, conf);
    await bench.restart();
  }
  return found;
}
