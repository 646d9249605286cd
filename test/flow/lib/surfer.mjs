// SPDX-License-Identifier: Apache-2.0
// A browser as far as most tests need one: cookies, forms, redirects within one origin.
import { request } from './http.mjs';

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

export function unescapeHtml(text) {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, number, name) => {
    if (hex) return String.fromCodePoint(parseInt(hex, 16));
    if (number) return String.fromCodePoint(Number(number));
    return entities[name] ?? whole;
  });
}

function attributes(tag) {
  const found = {};
  for (const [, name, , value] of tag.matchAll(/([\w:-]+)(="([^"]*)")?/g)) {
    found[name] = value === undefined ? '' : unescapeHtml(value);
  }
  return found;
}

function readForm([, head, content], url) {
  const form = attributes(head);
  const fields = {};
  for (const [, tag] of content.matchAll(/<input\b([^>]*)>/g)) {
    const { name, value, type, checked } = attributes(tag);
    if (type === 'checkbox' && checked === undefined) continue; // as browsers do
    if (name) fields[name] = value ?? '';
  }
  const buttons = [...content.matchAll(/<button\b([^>]*)>/g)].map(([, tag]) => attributes(tag));
  return { action: new URL(form.action, url).href, method: form.method, fields, buttons };
}

/** The forms of a page: action, method, fields by name, buttons. */
export function formsOf(html, url) {
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map((found) => readForm(found, url));
}

/** The first one; null when there is none. */
export function formOf(html, url) {
  return formsOf(html, url)[0] ?? null;
}

/** What a page says: its text without tags. */
export function textOf(html) {
  const body = /<body[^>]*>([\s\S]*)<\/body>/.exec(html)?.[1] ?? html;
  return unescapeHtml(body.replace(/<(script|style)\b[\s\S]*?<\/\1>/g, ' ').replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ').trim();
}

/** Where a link with these words leads, or null. */
export function linkOf(page, words) {
  const found = [...page.text.matchAll(/<a\b[^>]*href="([^"]*)"[^>]*>([\s\S]*?)<\/a>/g)].find(([, , content]) => textOf(content) === words);
  return found ? new URL(unescapeHtml(found[1]), page.url).href : null;
}

export class Surfer {
  constructor(instance) {
    this.instance = instance;
    this.jar = new Map(); // origin -> Map of cookies
  }

  cookiesFor(url) {
    const cookies = this.jar.get(new URL(url).origin);
    return cookies ? [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') : '';
  }

  keep(answer) {
    const { origin } = answer.url;
    for (const line of answer.cookies) {
      const [pair] = line.split(';');
      const at = pair.indexOf('=');
      const cookies = this.jar.get(origin) ?? new Map();
      this.jar.set(origin, cookies);
      if (/max-age=0|expires=Thu, 01 Jan 1970/i.test(line)) cookies.delete(pair.slice(0, at));
      else cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
  }

  /** Another browser with the same cookies. */
  clone() {
    const copy = new Surfer(this.instance);
    for (const [origin, cookies] of this.jar) copy.jar.set(origin, new Map(cookies));
    return copy;
  }

  /** One request with cookies; follows no redirect. */
  async send(url, options = {}) {
    const headers = { ...options.headers };
    const cookies = this.cookiesFor(url);
    if (cookies && headers.cookie === undefined) headers.cookie = cookies;
    const answer = await request(url, { ca: this.instance.ca, ...options, headers });
    this.keep(answer);
    answer.form = /^text\/html/.test(answer.headers['content-type'] ?? '') ? formOf(answer.text, answer.url) : null;
    return answer;
  }

  /** Follows redirects as long as they stay with the authorization server and carry no answer to the application. */
  async go(url, options = {}) {
    let answer = await this.send(url, options);
    const ours = ({ location, url }) => location !== null && location.origin === url.origin && !location.searchParams.has('iss');
    for (let hops = 0; ours(answer); hops++) {
      if (hops === 10) throw new Error(`too many redirects, now at ${answer.location}`);
      answer = await this.send(answer.location.href);
    }
    return answer;
  }

  /** Sends the form of a page with these fields filled in. */
  submit(page, fields) {
    if (!page.form) throw new Error(`no form in the answer (${page.status}): ${textOf(page.text).slice(0, 300)}`);
    return this.go(page.form.action, { form: { ...page.form.fields, ...fields } });
  }

  /**
   * Goes through login and consent as they come.
   * @returns the answer that leads away from the server, or the page at which it stops
   */
  async through(url, { username = 'alice', password = 'correct horse', decision = 'allow', ...options } = {}) {
    let page = typeof url === 'string' ? await this.go(url, options) : url;
    for (let steps = 0; steps < 4 && page.form; steps++) {
      if ('password' in page.form.fields) page = await this.submit(page, { username, password });
      else if (page.form.buttons.some(({ name }) => name === 'decision')) page = await this.submit(page, { decision });
      else break;
    }
    return page;
  }
}
