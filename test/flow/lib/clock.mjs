// SPDX-License-Identifier: Apache-2.0
// A clock of its own for httpd, by libfaketime.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const libraries = ['x86_64', 'aarch64'].map((cpu) => `/usr/lib/${cpu}-linux-gnu/faketime/libfaketimeMT.so.1`);

/** Options for startInstance(), and the function that sets the clock, by seconds from now. */
export function withClock(options = {}) {
  const library = libraries.find((file) => fs.existsSync(file));
  let clock;

  assert.ok(library, 'libfaketime is missing (Debian: apt-get install libfaketime)');
  const settings = {
    ...options,
    prepare(dir) {
      clock = path.join(dir, 'clock');
      fs.writeFileSync(clock, '+0\n');
      options.prepare?.(dir);
    },
    env: (dir) => ({
      ...options.env?.(dir),
      OAS_PRELOAD: [process.env.OAS_PRELOAD, library].filter(Boolean).join(':'),
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_FORCE_MONOTONIC_FIX: '0', // which would end each wait by that clock at once
    }),
  };
  /** Returns when all processes of httpd have seen it. */
  const shiftClock = async (seconds) => {
    fs.writeFileSync(`${clock}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`);
    fs.renameSync(`${clock}.new`, clock); // nobody reads half of it
    await sleep(2200);
  };
  return [settings, shiftClock];
}
