// SPDX-License-Identifier: Apache-2.0
// Every page that people can see, and how a browser comes to it: for tests and pictures of all of them.
import fs from 'node:fs';
import path from 'node:path';
import { startInstance, top } from './instance.mjs';
import { startApp } from './app.mjs';
import { decide, newPage, signIn } from './chromium.mjs';
import { authorization, authorizeUrl, client, getCode, redeem } from './oauth.mjs';
import { Surfer } from './surfer.mjs';

const folder = path.join(top, 'templates');
const strong = 'urn:example:strong';
const logo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" fill="#fff4e0"/>
<path d="M10 28h44l-5-14H15z" fill="#d9480f"/><path d="M14 28h36v24H14z" fill="#ffd8a8"/><path d="M27 36h10v16H27z" fill="#862e0b"/></svg>`;

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
      client('market', { uri, type: 'native', extra: ['OAuth2ASName "Market Hall"', 'OAuth2ASLogoURI /market.svg', 'OAuth2ASFirstParty off', ...about] }) +
      'OAuth2ASHelpLink forgot-password https://login.example.test/forgot\nOAuth2ASHelpLink help https://login.example.test/help\n' +
      `OAuth2ASLoginOption windows "Windows sign-in" /login/windows acr=${strong}\n` +
      `OAuth2ASLoginOption certificate "Certificate or smart card" /login/certificate acr=${strong}\nOAuth2ASLoginOption password\n` +
      '<LocationMatch "^/login/">\nSetHandler oauth2as-login\nAuthType Basic\nAuthName login\nAuthBasicProvider oauth2as\nRequire valid-user\n</LocationMatch>\n' +
      '<Location "/login/windows">\nRequire all denied\n</Location>\n' +
      // whoever is not in the first place is looked for in the second, which is not there
      'OAuth2ASPasswordProvider oauth2as file\n<Location "/authorize">\nAuthUserFile "${OAS_DIR}/absent"\n</Location>\n' +
      'OAuth2ASKeepSignedIn on\nOAuth2ASThrottle account=10\n',
    args,
  });
  const ask = (overrides) =>
    authorizeUrl(server, authorization({ client_id: 'shop', redirect_uri: uri, scope: 'openid profile email read:items offline_access', audience: 'https://api.example.test/', ...overrides }).params);
  await server.ctl(['user', 'add', 'carol'], 'paper clip');
  await tooMany(server, ask);
  const bob = await getCode(server, { client_id: 'silent', redirect_uri: uri, scope: 'openid' }, { username: 'bob', password: 'battery staple' });
  return { app, server, ask, bob: (await redeem(server, bob)).json.id_token };
}

/** More wrong passwords of carol than are free, from wherever: the first one writes the only rows there are, which then count for ten. */
async function tooMany(server, ask) {
  const surfer = new Surfer(server);
  const fail = async () => surfer.submit(await surfer.go(ask()), { username: 'carol', password: 'wrong' });
  await fail();
  await server.sql('UPDATE oas_throttle SET failures = 10');
  await fail();
}

/**
 * Opens a page in a state (of statesOf) as it is when all that appears has appeared; it ends by page.done().
 * @param storageState what signedInState gave
 * @param options of the browser
 */
export async function visit(browser, context, storageState, [, reach, signedIn], options, more) {
  const page = await newPage(browser, { reducedMotion: 'reduce', ...options, ...(signedIn && { storageState }) });
  await page.route('**/market.svg', (route) => route.fulfill({ contentType: 'image/svg+xml', body: logo }));
  await reach(page, context, more);
  await page.waitForSelector('main');
  await page.evaluate('document.getAnimations().forEach((one) => one.finish())');
  return page;
}

/** Lets a page that goes on by itself stay: what it goes to has nothing to show. */
async function hold(page, origin) {
  await page.route(`${origin}/**`, (route) => route.fulfill({ status: 204 }));
}

/** Waits for the page that a form leads to. */
function gone(page, selector) {
  return page.waitForSelector(selector, { state: 'detached' });
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
    'login-options': (page, { ask }, more) => page.goto(ask({ claims: JSON.stringify({ id_token: { acr: { essential: true, value: strong } } }), ...more })),
    'login-logo': (page, { ask }, more) => page.goto(ask({ client_id: 'market', ...more })),
    'login-again': { signedIn: true, reach: (page, { ask }, more) => page.goto(ask({ prompt: 'login', ...more })) },
    'login-another': { signedIn: true, reach: (page, { ask, bob }, more) => page.goto(ask({ id_token_hint: bob, ...more })) },
  },
  select_account: {
    select_account: { signedIn: true, reach: (page, { ask }, more) => page.goto(ask({ prompt: 'select_account', ...more })) },
  },
  consent: {
    consent: { signedIn: true, reach: (page, { ask }, more) => page.goto(ask({ prompt: 'consent', ...more })) },
    'consent-widened': { signedIn: true, reach: (page, { ask }, more) => page.goto(ask({ scope: 'openid profile email address read:items write:items offline_access', ...more })) },
    'consent-logo': { signedIn: true, reach: (page, { ask }, more) => page.goto(ask({ client_id: 'market', prompt: 'consent', ...more })) },
  },
  account: {
    account: { signedIn: true, reach: (page, { server }, more) => page.goto(server.url('account', more)) },
    async 'account-notice'(page, { server }, more) {
      const other = await newPage(page.context().browser());
      for (const one of [other, page]) {
        await one.goto(server.url('account', more));
        await signIn(one, 'bob', 'battery staple');
        await one.waitForSelector('[name=current_password]');
      }
      await other.done();
      await page.click('button[name=end_others]');
      await page.waitForSelector('[role=status]');
    },
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
      await page.waitForSelector('main:not(.passing):not(:has(button))'); // behind the page that tells applications
    },
    async 'logged_out-declined'(page, context, more) {
      await beginLogout(page, context, undefined, more);
      await page.click('button[name=confirm][value=no]');
      await gone(page, 'button[name=confirm]');
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
    async 'error-foreign'(page, { ask }, more) {
      await page.goto(ask(more));
      await page.evaluate("document.querySelector('[name=interaction]').value = 'altered'");
      await signIn(page);
      await gone(page, '[name=password]');
    },
    async 'error-throttled'(page, { server, ask }, more) {
      await server.sql("UPDATE oas_throttle SET waiting_until = now() + interval '9 minutes' WHERE waiting_until IS NOT NULL");
      await page.goto(ask(more));
      await signIn(page, 'carol', 'paper clip');
      await page.waitForSelector('main:not(:has(form)) a.button');
    },
    async 'error-unavailable'(page, { server, ask }, more) {
      server.announce(/AH01620/, { maybe: true }); // mod_authn_file has no file, however often it is asked
      server.announce(/OAS00751/, { maybe: true });
      await page.goto(ask(more));
      await signIn(page, 'nobody', 'nothing');
      await page.waitForSelector('main:not(:has(form)) a.button');
    },
    async 'error-refused'(page, { server, ask }, more) {
      server.announce(/AH01630|AH01631/, { maybe: true });
      await page.goto(ask(more));
      await page.click('button[name=option][value=windows]');
      await page.waitForURL('**/login/windows?*');
    },
  },
};

/** The states of one page as [name, reach, signedIn]. */
export function statesOf(name) {
  return Object.entries(gallery[name] ?? {}).map(([state, how]) => (typeof how === 'function' ? [state, how, false] : [state, how.reach, how.signedIn]));
}

const inEachKind = ['login', 'consent', 'account']; // the others in docs/images are light only

/** The pictures of a state in docs/images: light, dark, phone. */
export const kindsOf = (state) => (inEachKind.includes(state) ? ['light', 'dark', 'phone'] : ['light']);

/** All pictures there, without the end of their names; one is of the demo. */
export function pictures() {
  const states = pageNames().flatMap(statesOf);
  return ['demo-light', ...states.flatMap(([state]) => kindsOf(state).map((kind) => `${state}-${kind}`))].sort();
}

/** Signs alice in, so that the account page has something to show; the state of the browser. */
export async function signedInState(browser, context) {
  const { ask, app } = context;
  const [first, other] = [await newPage(browser), await newPage(browser)];
  for (const [page, client_id] of [[other, 'shop'], [first, 'market']]) {
    await page.goto(ask({ client_id, prompt: 'consent' }));
    await signIn(page);
    await decide(page);
    await page.waitForURL(`${app.origin}/**`);
  }
  const state = await first.context().storageState();
  await first.done();
  await other.done();
  return state;
}
