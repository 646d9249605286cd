// SPDX-License-Identifier: Apache-2.0
// Pictures of every page, taken from running instances. Those of docs/images: npm run screenshots
// In other languages, and in each kind, into a folder: npm run screenshots -- FOLDER TAG...
import test from 'node:test';
import { after } from 'node:test';
import fs from 'node:fs';
import path from 'node:path';
import { startInstance, top } from './lib/instance.mjs';
import { decide, newPage, signIn, startChromium } from './lib/chromium.mjs';
import { kindsOf, pageNames, signedInState, startGallery, statesOf, visit } from './lib/pages.mjs';

const [folder, ...languages] = process.argv.slice(2);
const images = folder ?? path.join(top, 'docs/images');
const kinds = {
  light: { viewport: { width: 720, height: 640 }, colorScheme: 'light' },
  dark: { viewport: { width: 720, height: 640 }, colorScheme: 'dark' },
  phone: { viewport: { width: 360, height: 720 }, colorScheme: 'light' },
};
const browser = await startChromium();
fs.mkdirSync(images, { recursive: true });

const shoot = (page, name) => page.screenshot({ fullPage: true, path: path.join(images, `${name}.png`) });

test('every page', async () => {
  const context = await startGallery();
  after(() => context.app.stop());
  const storageState = await signedInState(browser, context);
  for (const language of languages.length ? languages : ['en']) {
    for (const state of pageNames().flatMap(statesOf)) {
      for (const kind of folder ? Object.keys(kinds) : kindsOf(state[0])) {
        const page = await visit(browser, context, storageState, state, kinds[kind], { ui_locales: language });
        await shoot(page, [state[0], ...(folder ? [language] : []), kind].join('-'));
        await page.done();
      }
    }
  }
});

test('the demo', { skip: Boolean(folder) }, async () => {
  const server = await startInstance({
    args: ['--host', 'login.localhost', '--module', 'oauth2', '--keys', 'RS256,ES256', '--conf', path.join(top, 'demo-app/httpd.conf')],
    prepare: (dir) => fs.cpSync(path.join(top, 'demo-app'), path.join(dir, 'demo-app'), { recursive: true }),
  });
  const page = await newPage(browser, kinds.light);
  await page.goto(server.issuer);
  await page.click('#sign-in');
  await signIn(page);
  await page.waitForSelector('button[name=decision], #id-token:not(:empty)');
  if (await page.locator('button[name=decision]').count()) await decide(page);
  await page.waitForSelector('#id-token:not(:empty)');
  await page.click('#call-api');
  await page.waitForSelector('#answer-title:has-text("200")');
  await shoot(page, 'demo-light');
  await page.done();
});
