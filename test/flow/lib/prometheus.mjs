// SPDX-License-Identifier: Apache-2.0
// A strict reader of Prometheus' text format 0.0.4 and of OpenMetrics 1.0: what it takes, any scraper takes.
import assert from 'node:assert/strict';

const suffixes = {
  counter: { plain: [''], open: ['_total'] },
  gauge: { plain: [''], open: [''] },
  histogram: { plain: ['_bucket', '_count', '_sum'], open: ['_bucket', '_count', '_sum'] },
};

function parseLabels(text) {
  const labels = {};
  let rest = text;
  while (rest) {
    const found = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=[a-zA-Z_])|$)/.exec(rest);
    assert.ok(found, `labels {${text}}`);
    const [all, name, value] = found;
    assert.ok(!Object.hasOwn(labels, name), `label ${name} twice in {${text}}`);
    labels[name] = value.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c));
    rest = rest.slice(all.length);
  }
  return labels;
}

export const seriesOf = (name, labels) =>
  `${name}{${Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)).map(([label, value]) => `${label}=${JSON.stringify(value)}`).join(',')}}`;

function checkHistogram(family, samples) {
  const groups = new Map();
  for (const { name, labels, value } of samples) {
    const { le, ...others } = labels;
    const key = seriesOf('', others);
    if (!groups.has(key)) groups.set(key, { buckets: [] });
    const group = groups.get(key);
    if (name.endsWith('_bucket')) group.buckets.push([le === '+Inf' ? Infinity : Number(le), value]);
    else group[name.slice(family.length + 1)] = value;
  }
  for (const [key, { buckets, count, sum }] of groups) {
    assert.ok(sum >= 0 && count >= 0, `${family}${key} has count and sum`);
    assert.equal(buckets.at(-1)?.[0], Infinity, `${family}${key} ends in +Inf`);
    assert.equal(buckets.at(-1)[1], count, `${family}${key}: +Inf is the count`);
    for (let i = 1; i < buckets.length; i++) {
      assert.ok(buckets[i][0] > buckets[i - 1][0], `${family}${key}: bounds rise`);
      assert.ok(buckets[i][1] >= buckets[i - 1][1], `${family}${key}: buckets are cumulative`);
    }
  }
}

/**
 * @param open whether it is OpenMetrics
 * @returns families {name: {type, help, samples}}; `values`, a Map from seriesOf() to number
 */
export function parseMetrics(text, { open = false } = {}) {
  assert.ok(text.endsWith(open ? '\n# EOF\n' : '\n'), 'its last line is whole');
  const lines = text.slice(0, open ? -'# EOF\n'.length : undefined).split('\n').slice(0, -1);
  const families = {};
  const values = new Map();
  let current;
  for (const line of lines) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);
    if (comment) {
      const [, what, name, rest] = comment;
      if (current?.name !== name) {
        assert.ok(!families[name], `${name} is in one piece`);
        current = families[name] = { name, samples: [] };
      }
      assert.equal(current.samples.length, 0, `${what} of ${name} before its samples`);
      assert.equal(current[what], undefined, `one ${what} of ${name}`);
      current[what] = rest;
      continue;
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$/.exec(line);
    assert.ok(sample, `line ${JSON.stringify(line)}`);
    const [, name, labelText = '', number] = sample;
    assert.ok(current?.HELP && current.TYPE, `${name} has HELP and TYPE`);
    const wanted = suffixes[current.TYPE]?.[open ? 'open' : 'plain'].map((suffix) => current.name + suffix);
    assert.ok(wanted?.includes(name), `${name} belongs to ${current.name}, a ${current.TYPE}`);
    const labels = parseLabels(labelText);
    assert.equal('le' in labels, name.endsWith('_bucket'), line);
    const series = seriesOf(name, labels);
    assert.ok(!values.has(series), `${series} twice`);
    values.set(series, Number(number));
    current.samples.push({ name, labels, value: Number(number) });
  }
  for (const { name, TYPE, samples } of Object.values(families)) {
    if (TYPE === 'histogram') checkHistogram(name, samples);
    if (TYPE === 'counter') assert.equal(name.endsWith('_total'), !open, name);
    if (TYPE !== 'gauge') for (const { value } of samples) assert.ok(value >= 0, name);
  }
  return { families, values };
}

/** What mod_status calls a sample that parseMetrics() has read; undefined where it says it in another way. */
export function statusKeyOf({ name, TYPE }, sample) {
  if (TYPE === 'histogram' && !sample.name.endsWith('_count')) return undefined;
  const values = Object.values(sample.labels);
  const key = name.replace(/^oauth2as_/, '').replace(TYPE === 'counter' ? /_total$/ : /$^/, '');
  return `${key}${values.length ? `[${values.join(',')}]` : ''}${TYPE === 'histogram' ? ' count' : ''}`;
}

/** The lines of mod_status' ?auto that are this module's, by their keys. */
export const parseStatus = (text) => new Map([...text.matchAll(/^OAuth2AS (.+): (\S+)$/gm)].map(([, key, value]) => [key, Number(value)]));
