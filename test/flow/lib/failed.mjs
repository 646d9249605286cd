// SPDX-License-Identifier: Apache-2.0
// A reporter of Node's test runner: the files in which something failed, a line each.
import path from 'node:path';

export default async function* failed(source) {
  const files = new Set();
  for await (const { type, data } of source) if (type === 'test:fail') files.add(path.basename(data.file ?? data.name));
  for (const file of files) yield `${file}\n`;
}
