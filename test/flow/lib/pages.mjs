// SPDX-License-Identifier: Apache-2.0
// Every page that people can see, and how a browser comes to it: for tests and pictures of all of them.
import fs from 'node:fs';
import path from 'node:path';
import { startInstance, top } from './instance.mjs';
import { startApp } from './app.mjs';
import { decide, signIn } from './chromium.mjs';
import { authorization, authorizeUrl, client } from './oauth.mjs';

const folder = path.join(top, 'templates');

/** The pages there are: the templates that are no part of another one. */
export function pageNames() {
  const files = fs.readdirSync(folder).filter((file) => file.endsWith('.mustache'));
  const parts = new Set(['layout']);
  for (const file of files) {
    for (const [, name] of fs.readFileSync(path.join(folder, file), 'utf8').matchAll(/\{\{>\s*(\w+)\s*\}\}/g)) parts.add(name);
  }
  return files.map((file) => path.basename(file, '.mustache')).filter((name) => !parts.has(name));
}

/** A server and an application that have something to show on each page. */
export async function startGallery(args = ['--host', 'login.localhost']) {
  const app = await startApp();
  const uri = `${app.origin}/callback`;
  const about = [`OAuth2ASClientURI ${app.origin}/`, 'OAuth2ASPolicyURI https://app.example.test/privacy', 'OAuth2ASTosURI https://app.example.test/terms'];
  const server = await startInstance({
    conf:
      client('shop', { uri, type: 'native', extra: ['OAuth2ASName "Garden Shop"', 'OAuth2ASFirstParty off', ...about] }) +
      client('silent', { uri, type: 'spa', extra: ['OAuth2ASName "Garden Shop"', 'OAuth2ASFirstParty on', 'OAuth2ASSkipConsent on', 'OAuth2ASWebMessage on', `OAuth2ASPostLogoutRedirectURI ${uri}`, `OAuth2ASFrontchannelLogoutURI ${app.origin}/frame`, ...about] }) +
      'OAuth2ASHelpLink forgot-password https://login.example.test/forgot\nOAuth2ASHelpLink help https://login.example.test/help\n' +
      'OAuth2ASLoginOption windows "Windows sign-in" /login/windows\nOAuth2ASLoginOption password\n' +
      '<Location "/login/windows">\nSetHandler oauth2as-login\nAuthType Basic\nAuthName windows\nAuthBasicProvider oauth2as\nRequire valid-user\n</Location>\n' +
      'OAuth2ASKeepSignedIn on\n',
    args,
  });
  const ask = (overrides) =>
    authorizeUrl(server, authorization({ client_id: 'shop', redirect_uri: uri, scope: 'openid profile email read:items offline_access', audience: 'https://api.example.test/', ...overrides }).params);
  return { app, server, ask };
}

/** Lets a page that goes on by itself stay: what it goes to has nothing to show. */
async function hold(page, origin) {
  await page.route(`${origin}/**`, (route) => route.fulfill({ status: 204 }));
}

/** Signs in for this page alone, and begins to sign out again. */
async function beginLogout(page, { server, ask, app }, client_id, more) {
  await page.goto(ask({ client_id: 'silent', ...more }));
  await signIn(page);
  await page.waitForURL(`${app.origin}/**`);
  await page.goto(server.url('oidc/logout', { client_id, post_logout_redirect_uri: client_id && `${app.origin}/callback`, ...more }));
}

/**
 * For each page its states by name: how an English-speaking browser, signed in where `signedIn` says so, gets there.
 * A state may be seen in any language: `ui_locales` is handed on.
 */
export const gallery = {
  login: {
    login: (page, { ask }, more) => page.goto(ask(more)),
    async 'login-wrong'(page, { ask }, more) {
      await page.goto(ask(more));
      await signIn(page, 'bob', 'wrong');
      await page.waitForSelector('[role=alert]');
    },
    'login-again': { signedIn: true, reach: (page, { ask }, more) => page.goto(ask({ prompt: 'login', ...more })) },
  },
  select_account: {
    select_account: { signedIn: true, reach: (page, { ask }, more) => page.goto(ask({ prompt: 'select_account', ...more })) },
  },
  consent: {
    consent: { signedIn: true, reach: (page, { ask }, more) => page.goto(ask({ prompt: 'consent', ...more })) },
  },
  account: {
    account: { signedIn: true, reach: (page, { server }, more) => page.goto(server.url('account', more)) },
    'account-wrong': {
      signedIn: true,
      async reach(page, { server }, more) {
        await page.goto(server.url('account', more));
        await page.fill('[name=current_password]', 'correct horse');
        await page.fill('[name=new_password]', 'one new password');
        await page.fill('[name=new_password_again]', 'another password');
        await page.click('button[name=password]');
        await page.waitForSelector('[role=alert]');
      },
    },
  },
  form_post: {
    form_post: {
      signedIn: true,
      async reach(page, { ask, app }, more) {
        await hold(page, app.origin);
        await page.goto(ask({ client_id: 'silent', response_mode: 'form_post', ...more }), { waitUntil: 'commit' });
      },
    },
  },
  web_message: {
    web_message: { signedIn: true, reach: (page, { ask, app }, more) => page.goto(ask({ client_id: 'silent', redirect_uri: `${app.origin}/callback`, response_mode: 'web_message', ...more })) },
  },
  logout: {
    logout: { signedIn: true, reach: (page, { server }, more) => page.goto(server.url('oidc/logout', more)) },
  },
  logged_out: {
    async logged_out(page, context, more) {
      await beginLogout(page, context, undefined, more);
      await page.goto(context.server.url('oidc/logout', { client_id: 'shop', ...more }));
      await page.click('button[name=confirm][value=yes]');
    },
    async 'logged_out-declined'(page, context, more) {
      await beginLogout(page, context, undefined, more);
      await page.click('button[name=confirm][value=no]');
    },
  },
  logout_frontchannel: {
    async logout_frontchannel(page, context, more) {
      await beginLogout(page, context, 'silent', more);
      await hold(page, context.app.origin);
      await page.click('button[name=confirm][value=yes]', { noWaitAfter: true });
      await page.waitForSelector('iframe', { state: 'attached' });
    },
  },
  error: {
    error: (page, { ask }, more) => page.goto(ask({ redirect_uri: 'https://other.example.test/', ...more })),
    'error-bare': (page, { server }, more) => page.goto(server.url('authorize', more)),
    async 'error-stale'(page, { ask }, more) {
      await page.goto(ask(more));
      await page.evaluate("document.querySelector('[name=interaction]').value = 'altered'");
      await signIn(page);
    },
  },
};

/** The states of one page as [name, reach, signedIn]. */
export function statesOf(name) {
  return Object.entries(gallery[name] ?? {}).map(([state, how]) => (typeof how === 'function' ? [state, how, false] : [state, how.reach, how.signedIn]));
}

/** Signs alice in, so that the account page has something to show; the state of the browser. */
export async function signedInState(browser, context) {
  const { ask, app } = context;
  const [first, other] = [await browser.newContext(), await browser.newContext()];
  for (const one of [other, first]) {
    const page = await one.newPage();
    await page.goto(ask({ prompt: 'consent' }));
    await signIn(page);
    await decide(page);
    await page.waitForURL(`${app.origin}/**`);
  }
  const state = await first.storageState();
  await first.close();
  await other.close();
  return state;
}
