// SPDX-License-Identifier: Apache-2.0
// Pages in the language that somebody reads: by ui_locales, then Accept-Language; and what an administrator changes
// of them without touching the rest.
import test from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { startInstance, top } from './lib/instance.mjs';
import { Surfer, textOf } from './lib/surfer.mjs';
import { alter, appUri, authorization, authorizeUrl, client } from './lib/oauth.mjs';
import { request } from './lib/http.mjs';

const shipped = path.join(top, 'templates/strings');
const texts = Object.fromEntries(fs.readdirSync(shipped).map((file) => [path.basename(file, '.json'), JSON.parse(fs.readFileSync(path.join(shipped, file), 'utf8'))]));
const own = {
  'style.css': 'body { color: rebeccapurple }\n',
  'strings/de.json': JSON.stringify({ ...texts.de, login_heading: 'Moin', login_username: undefined, 'scope https://api.example.test/ read:items': 'Ihre Artikel lesen' }),
  'strings/he.json': '{ "dir": "rtl", "login_heading": "כניסה" }',
};
const server = await startInstance({
  conf: client('spa', { extra: ['OAuth2ASName "The Shop"'] }) + 'OAuth2ASLogo /logo.svg\nOAuth2ASTemplateDir ${OAS_DIR}/own\n',
  prepare(dir) {
    const folder = path.join(dir, 'own');
    fs.cpSync(path.join(top, 'templates'), folder, { recursive: true });
    for (const [file, text] of Object.entries(own)) fs.writeFileSync(path.join(folder, file), text);
  },
});

const languageOf = (page) => [/<html lang="([^"]*)" dir="([^"]*)">/.exec(page.text).slice(1).join(' '), page.headers['content-language']];
const headingOf = (page) => textOf(/<h1>([\s\S]*?)<\/h1>/.exec(page.text)[1]);
const ask = (more) => authorizeUrl(server, authorization(more).params);

async function visit(ui_locales, accept) {
  return new Surfer(server).go(ask({ ui_locales }), { headers: accept === undefined ? {} : { 'accept-language': accept } });
}

test('the application comes before the browser, and whoever says nothing reads English', async () => {
  for (const [ui_locales, accept, tag] of [
    [undefined, undefined, 'en'],
    [undefined, '*', 'en'],
    [undefined, 'fr-CH, fr;q=0.9, en;q=0.8', 'fr'],
    [undefined, 'en;q=0.1, ja;q=0.2', 'ja'],
    ['es', 'fr', 'es'],
    ['xx de-AT', 'fr', 'de'],
    ['tlh', 'fr', 'fr'],
    ['<script> ../../etc/passwd ar', 'fr', 'ar'],
    ['', 'ar-EG', 'ar'],
    ['tlh', 'nl', 'en'],
  ]) {
    const page = await visit(ui_locales, accept);
    assert.equal(page.status, 200);
    assert.deepEqual(languageOf(page), [`${tag} ${texts[tag].dir}`, tag], `${ui_locales} ${accept}`);
    assert.equal(headingOf(page), tag === 'de' ? 'Moin' : texts[tag].login_heading);
  }
});

test('the language stays from page to page, and on the page that says what went wrong', async () => {
  const surfer = new Surfer(server);
  const login = await surfer.go(ask({ ui_locales: 'fr', prompt: 'consent', scope: 'openid email read:items', audience: 'https://api.example.test/' }));
  const wrong = await surfer.submit(login, { username: 'alice', password: 'wrong' });
  assert.ok(textOf(wrong.text).includes(texts.fr.login_wrong_credentials));
  const consent = await surfer.submit(wrong, { username: 'alice', password: 'correct horse' });
  assert.deepEqual(languageOf(consent), ['fr ltr', 'fr']);
  assert.ok(textOf(consent.text).includes(texts.fr.scope_email));
  assert.ok(textOf(consent.text).includes('Read your items'), 'what nobody has translated is as it was given');
  const stale = await surfer.go(consent.form.action, { form: { ...consent.form.fields, interaction: alter(consent.form.fields.interaction, 40), decision: 'allow' } });
  assert.equal(stale.status, 400);
  assert.deepEqual(languageOf(stale), ['fr ltr', 'fr']);
  const error = await visit('ar', undefined, {});
  assert.deepEqual(languageOf(error), ['ar rtl', 'ar']);
});

test('errors are told in every language, with the reference that the log has', async () => {
  for (const tag of Object.keys(texts)) {
    const page = await request(ask({ ui_locales: tag, redirect_uri: `${appUri}/other` }));
    const text = textOf(page.text);
    assert.equal(page.status, 400);
    assert.equal(headingOf(page), texts[tag].request_heading);
    for (const name of ['request_message', 'error_next', 'error_code', 'error_reference']) assert.ok(text.includes(texts[tag][name]), `${tag} ${name}`);
    const [, reference] = new RegExp(`<dt>${texts[tag].error_reference}</dt><dd><code>([^<]+)</code>`).exec(page.text);
    assert.match(server.log(), new RegExp(`ref=${reference}`));
  }
});

test('an administrator changes one text, adds a language that is not whole, a translated scope, a style and a logo', async () => {
  const surfer = new Surfer(server);
  const german = await surfer.go(ask({ ui_locales: 'de', prompt: 'consent', scope: 'openid read:items', audience: 'https://api.example.test/' }));
  assert.equal(headingOf(german), 'Moin');
  assert.ok(textOf(german.text).includes(texts.de.login_password), 'the other words are as they were');
  assert.ok(textOf(german.text).includes(texts.en.login_username), 'a text that is missing is in English');
  assert.match(german.text, /<style>body \{ color: rebeccapurple \}\n<\/style>/);
  assert.match(german.text, /<img src="\/logo\.svg" alt="[^"]+">/);
  const consent = await surfer.submit(german, { username: 'alice', password: 'correct horse' });
  assert.ok(textOf(consent.text).includes('Ihre Artikel lesen'));
  const hebrew = await visit('he');
  assert.deepEqual(languageOf(hebrew), ['he rtl', 'he']);
  assert.equal(headingOf(hebrew), 'כניסה');
  assert.ok(textOf(hebrew.text).includes(texts.en.login_password), 'what is missing is in English');
  const { json } = await request(server.url('.well-known/openid-configuration'));
  assert.deepEqual(json.ui_locales_supported, ['en', ...[...Object.keys(texts), 'he'].filter((tag) => tag !== 'en').sort()]);
});

test('OAuth2ASLanguages says which there are, and which is for everybody else', async () => {
  await server.reload({ 'httpd/httpd.conf': (conf) => conf.replace(/(OAuth2ASIssuer .*)/, '$1\n    OAuth2ASLanguages ja en') });
  assert.deepEqual(languageOf(await visit(undefined, 'de'))[1], 'ja');
  assert.deepEqual(languageOf(await visit('de', 'en'))[1], 'en');
  const { json } = await request(server.url('.well-known/openid-configuration'));
  assert.deepEqual(json.ui_locales_supported, ['ja', 'en']);
});
