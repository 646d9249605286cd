// SPDX-License-Identifier: Apache-2.0
// The pictures of docs/images, taken from a running instance: npm run screenshots
import test from 'node:test';
import fs from 'node:fs';
import path from 'node:path';
import { startInstance, top } from './lib/instance.mjs';
import { decide, newPage, signIn, startChromium } from './lib/chromium.mjs';
import { authorization, authorizeUrl, client } from './lib/oauth.mjs';

const images = path.join(top, 'docs/images');
const kinds = {
  light: { viewport: { width: 720, height: 640 }, colorScheme: 'light' },
  dark: { viewport: { width: 720, height: 640 }, colorScheme: 'dark' },
  phone: { viewport: { width: 360, height: 720 }, colorScheme: 'light', deviceScaleFactor: 2 },
};
const server = await startInstance({
  args: ['--host', 'login.localhost', '--module', 'oauth2', '--keys', 'RS256,ES256', '--conf', path.join(top, 'demo-app/httpd.conf')],
  prepare: (dir) => fs.cpSync(path.join(top, 'demo-app'), path.join(dir, 'demo-app'), { recursive: true }),
  conf: client('shop', { extra: ['OAuth2ASName "Garden Shop"', 'OAuth2ASPolicyURI https://app.example.test/privacy', 'OAuth2ASTosURI https://app.example.test/terms'] }) +
    'OAuth2ASHelpLink forgot-password https://login.example.test/forgot\n',
});
const browser = await startChromium();
fs.mkdirSync(images, { recursive: true });

test('pictures', async () => {
  for (const [kind, options] of Object.entries(kinds)) {
    const page = await newPage(browser, options);
    const shoot = (name) => page.screenshot({ fullPage: true, path: path.join(images, `${name}-${kind}.png`) });
    const request = { client_id: 'shop', scope: 'openid profile email read:items', audience: 'https://api.example.test/', prompt: 'consent' };
    await page.goto(authorizeUrl(server, authorization({ ...request, redirect_uri: 'https://other.example.test/' }).params));
    await shoot('error');
    await page.goto(authorizeUrl(server, authorization(request).params));
    await shoot('login');
    await signIn(page, 'alice', 'wrong');
    await page.waitForSelector('[role=alert]');
    if (kind !== 'phone') await shoot('login-wrong');
    await signIn(page);
    await page.waitForSelector('button[name=decision]');
    await shoot('consent');
    await page.goto(server.issuer);
    await page.click('#sign-in');
    await page.waitForSelector('button[name=decision], #id-token:not(:empty)');
    if (await page.locator('button[name=decision]').count()) await decide(page);
    await page.waitForSelector('#id-token:not(:empty)');
    await page.click('#call-api');
    await page.waitForSelector('#answer-title:has-text("200")');
    if (kind === 'light') await shoot('demo');
    await page.context().close();
  }
});
