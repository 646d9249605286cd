// SPDX-License-Identifier: Apache-2.0
// The recipes of the documentation, which the tests run as they stand there.
import fs from 'node:fs';
import path from 'node:path';
import assert from 'node:assert/strict';
import { top } from './instance.mjs';

/**
 * The configuration behind "<!-- recipe: NAME -->".
 * @param places what a test has instead of an administrator's files, hosts and ports: old text to new; each has to occur
 * @param page   below docs/
 */
export function recipe(name, places = {}, page = 'login.md') {
  const text = fs.readFileSync(path.join(top, 'docs', page), 'utf8');
  const found = text.split(new RegExp(`<!-- recipe: ${name} -->\n *\`\`\`[a-z]+\n`));
  assert.equal(found.length, 2, `docs/${page} has not one recipe ${name}`);
  let conf = found[1].slice(0, found[1].indexOf('```'));
  for (const [old, value] of Object.entries(places)) {
    assert.ok(conf.includes(old), `recipe ${name} has no ${old}`);
    conf = conf.replaceAll(old, value);
  }
  return conf;
}
