// SPDX-License-Identifier: Apache-2.0
// What every page must say of itself, whatever it shows: that nobody frames it, stores it or makes it run anything.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

export function policyOf({ headers }) {
  return Object.fromEntries(headers['content-security-policy'].split(';').map((part) => part.trim().split(/\s+/)).map(([name, ...values]) => [name, values]));
}

const hashOf = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const inElements = (html, name) => [...html.matchAll(new RegExp(`<${name}\\b[^>]*>([\\s\\S]*?)</${name}>`, 'g'))].map(([, text]) => text);

function assertPolicy(answer, framedBy) {
  const policy = policyOf(answer);
  const all = Object.values(policy).flat();
  for (const [name, expected] of Object.entries({ 'default-src': ["'none'"], 'base-uri': ["'none'"], 'frame-ancestors': [framedBy ?? "'none'"] })) assert.deepEqual(policy[name], expected, name);
  for (const bad of ["'unsafe-inline'", "'unsafe-eval'", "'unsafe-hashes'", "'strict-dynamic'", '*', 'http:', 'data:', 'blob:']) assert.ok(!all.includes(bad), `${bad} in ${answer.headers['content-security-policy']}`);
  const scripts = inElements(answer.text, 'script').map(hashOf);
  assert.deepEqual(policy['script-src'], scripts.length ? scripts : ["'none'"], 'scripts are those of the policy and no others');
  assert.deepEqual(policy['style-src'], inElements(answer.text, 'style').map(hashOf));
  assert.ok(policy['form-action'].includes("'self'"));
  return policy;
}

/** @param framedBy the origin that may frame this page, if any may */
export function assertGuarded(answer, framedBy) {
  const { headers, text } = answer;
  assert.match(headers['content-type'] ?? '', /^text\/html; ?charset=utf-8$/i);
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['referrer-policy'], 'no-referrer');
  assert.equal(headers['x-frame-options'], framedBy ? undefined : 'DENY');
  assertPolicy(answer, framedBy);
  const bare = text.replace(/<(style|script)\b[^>]*>[\s\S]*?<\/\1>/g, '');
  for (const [tag] of bare.matchAll(/<[a-z][^>]*>/gi)) {
    assert.doesNotMatch(tag.replace(/"[^"]*"/g, '""'), /\s(on\w+|style|target)\s*=/i, tag);
    assert.doesNotMatch(tag, /=\s*"\s*(javascript|data|vbscript):/i, tag);
  }
  for (const [, head] of bare.matchAll(/<form\b([^>]*)>/g)) assert.match(head, /method="post"/);
  assert.doesNotMatch(bare, /<(object|embed|applet|base|link|meta\s+http-equiv)\b/i);
}

/** Of a redirect: not stored, tells nobody where from, and has no body that a frame could show. */
export function assertQuiet(answer) {
  assert.match(answer.headers['cache-control'], /no-store/);
  assert.equal(answer.headers['referrer-policy'], 'no-referrer');
  assert.equal(answer.text, '');
}

/** Cookies that only this host, over TLS, and no script gets. */
export function assertCookies(answer) {
  for (const line of answer.cookies) {
    assert.match(line, /^__Host-oas-[0-9a-f]{16}(-known|-wm)?=/, line);
    for (const part of ['Path=/', 'HttpOnly', 'Secure']) assert.ok(line.split('; ').includes(part), `${part} is missing: ${line}`);
    assert.match(line, /^[^=]*-wm=/.test(line) ? /; SameSite=None/ : /; SameSite=Lax/);
    assert.doesNotMatch(line, /Domain=/i);
  }
}
