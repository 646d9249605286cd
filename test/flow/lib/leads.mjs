// SPDX-License-Identifier: Apache-2.0
// Where an answer leads a browser: by its headers, and by everything in its page that names a place.
import assert from 'node:assert/strict';
import { unescapeHtml } from './surfer.mjs';

const naming = ['href', 'src', 'action', 'formaction', 'data', 'srcset', 'srcdoc', 'poster', 'background', 'ping', 'cite', 'manifest', 'data-origin', 'xlink:href', 'archive', 'codebase', 'longdesc'];

/** The target of a Refresh header or of its element in a page. */
const refreshed = (value) => value.replace(/^[^;,]*[;,]?\s*(url\s*=\s*)?["']?/i, '');

function inHeaders({ headers }) {
  const found = [];
  for (const name of ['location', 'content-location', 'link', 'sourcemap']) if (headers[name] !== undefined) found.push([name, headers[name]]);
  if (headers.refresh !== undefined) found.push(['refresh', refreshed(headers.refresh)]);
  return found;
}

function inPage(html) {
  const found = [];
  const bare = html.replace(/<(style|script)\b([^>]*)>[\s\S]*?<\/\1>/g, '<$1$2>');
  for (const [, element, rest] of bare.matchAll(/<([a-zA-Z][\w-]*)\b([^>]*)>/g)) {
    for (const [, name, , quoted, plain] of rest.matchAll(/([\w:-]+)\s*=\s*("([^"]*)"|'[^']*'|([^\s"'>]+))/g)) {
      const value = unescapeHtml(quoted ?? plain ?? '');
      if (naming.includes(name.toLowerCase())) found.push([`${element} ${name}`, value]);
      if (/^on/i.test(name)) found.push([`${element} ${name}`, `javascript:${value}`]);
      if (element.toLowerCase() === 'meta' && name === 'content' && /http-equiv\s*=\s*["']?refresh/i.test(rest)) found.push(['meta refresh', refreshed(value)]);
    }
  }
  return found;
}

/** Everything an answer leads to: pairs of what does it and the place, as it stands there. */
export function leadsOf(answer) {
  const page = /^text\/html|xml/.test(answer.headers['content-type'] ?? '');
  return [...inHeaders(answer), ...(page ? inPage(answer.text) : [])];
}

/**
 * @param own the server's origin
 * @param places addresses a browser may be led to; parameters may be added
 * @returns a function that fails for an answer that leads anywhere else
 */
export function stayer(own, places) {
  const allowed = (text) => {
    if (/[\s\0\\]/.test(text)) return false;
    if (text === own || text.startsWith(`${own}/`) || /^\/(?![/\\])/.test(text)) return true;
    return places.some((place) => text.startsWith(place) && /^$|^[?&#]/.test(text.slice(place.length)));
  };
  return (answer, what) => {
    for (const [by, text] of leadsOf(answer)) assert.ok(allowed(text), `${what} leads to ${text} by ${by}`);
    const lines = Object.keys(answer.headers).filter((name) => /planted|^x-evil/.test(name));
    assert.deepEqual([lines, answer.cookies.filter((cookie) => /^planted/.test(cookie))], [[], []], what);
    assert.doesNotMatch(answer.headers['content-security-policy'] ?? '', /evil|(?<!:)\*|unsafe/, what);
    assert.ok(answer.status < 500, `${what}: ${answer.status}`);
  };
}
