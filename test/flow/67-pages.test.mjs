// SPDX-License-Identifier: Apache-2.0
// Every page there is: nothing that axe finds wrong, in light and dark on a telephone; and the keyboard alone, without
// JavaScript, gets everywhere on it and can see where it is.
import test from 'node:test';
import assert from 'node:assert/strict';
import { after } from 'node:test';
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { newPage, startChromium } from './lib/chromium.mjs';
import { top } from './lib/instance.mjs';
import { gallery, pageNames, pictures, signedInState, startGallery, statesOf, visit } from './lib/pages.mjs';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const phone = { width: 360, height: 640 };
const context = await startGallery();
after(() => context.app.stop());
const browser = await startChromium();
const storageState = await signedInState(browser, context);

const open = (state, more) => visit(browser, context, storageState, state, { viewport: phone }, more);

/** What axe finds, in each colour scheme. */
async function violations(page) {
  const found = [];
  await page.evaluate(axe);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const { violations: wrong } = await page.evaluate(() => window.axe.run({ rules: { 'target-size': { enabled: true } } }));
    found.push(...wrong.flatMap(({ id, nodes }) => nodes.map((node) => `${colorScheme}: ${id}: ${node.html} ${node.failureSummary}`)));
  }
  return found;
}

async function assertFits(page) {
  const width = await page.evaluate('document.documentElement.scrollWidth');
  assert.ok(width <= phone.width, `${width} pixels wide`);
}

test('there is a way to each page', () => {
  const names = pageNames();
  assert.ok(names.length > 5, names.join());
  assert.deepEqual(names.filter((name) => !statesOf(name).length), [], 'these have no way in lib/pages.mjs');
  assert.deepEqual(Object.keys(gallery).filter((name) => !names.includes(name)), [], 'these are no pages');
});

test('docs/images has the pictures that npm run screenshots takes, and no others', () => {
  const kept = fs.readdirSync(path.join(top, 'docs/images')).filter((file) => file.endsWith('.png')).map((file) => path.basename(file, '.png'));
  assert.deepEqual(kept.sort(), pictures());
  const distributed = fs.readFileSync(path.join(top, 'docs/local.mk'), 'utf8');
  assert.deepEqual(kept.filter((name) => !distributed.includes(`docs/images/${name}.png`)), [], 'these are not in docs/local.mk');
});

/** What can have the focus, in the order of the page; each as its place among all elements. */
const stops = `[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
  .filter((one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
  .map((one) => [...document.all].indexOf(one))`;
const focus = `(() => {
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
  return { at: [...document.all].indexOf(one), html: one.outerHTML.slice(0, 120), none: one === document.body,
    ring: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
    seen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth };
})()`;

/** Where the key Tab goes, from wherever it begins until it has been everywhere. */
async function tour(page, length) {
  const visited = [];
  while (visited.length < length) {
    await page.keyboard.press('Tab');
    const here = await page.evaluate(focus);
    if (here.none) continue;
    assert.ok(here.ring >= 2, `no ring can be seen around ${here.html}`);
    assert.ok(here.seen, `out of sight: ${here.html}`);
    visited.push(here.at);
  }
  return visited;
}

async function look(state) {
  const page = await open(state);
  assert.deepEqual(await violations(page), []);
  await assertFits(page);
  await page.setViewportSize({ width: 720, height: 500 });
  const expected = await page.evaluate(stops);
  const visited = await tour(page, expected.length);
  const from = expected.indexOf(visited[0]);
  assert.deepEqual(visited, [...expected.slice(from), ...expected.slice(0, from)]);
  await page.done();
}

async function lookFromTheRight(state) {
  const page = await open(state, { ui_locales: 'ar' });
  assert.deepEqual(await page.evaluate('[document.documentElement.lang, document.documentElement.dir]'), ['ar', 'rtl']);
  await assertFits(page);
  await page.done();
}

for (const name of pageNames()) {
  test(`${name}: axe finds nothing on a telephone, and the key Tab goes everywhere in order`, async () => {
    const states = statesOf(name);
    const jobs = [...states.map((state) => [state[0], () => look(state)]), ['from right to left', () => lookFromTheRight(states[0])]];
    const wrong = [];
    const work = async () => {
      for (let job; (job = jobs.shift()); ) await job[1]().catch((error) => wrong.push(`${job[0]}: ${error.stack}`));
    };
    await Promise.all([work(), work()]); // beside each other: they mostly wait
    assert.deepEqual(wrong, []);
  });
}

/** Presses Tab until the focus is there, then types or presses further keys. */
async function tabTo(page, selector, ...keys) {
  await page.waitForSelector(selector);
  for (let tries = 0; !(await page.evaluate((one) => document.activeElement.matches(one), selector)); tries++) {
    assert.ok(tries < 60, `the key Tab never comes to ${selector}`);
    await page.keyboard.press('Tab');
  }
  for (const key of keys) await (key === 'Enter' || key === 'Space' ? page.keyboard.press(key) : page.keyboard.type(key));
}

test('a whole visit by the keyboard alone, without JavaScript', async () => {
  const { server, ask, app } = context;
  const page = await newPage(browser, { javaScriptEnabled: false });
  const atApplication = () => page.waitForURL(`${app.origin}/callback?*`);
  await page.goto(ask({ prompt: 'consent' }));
  await tabTo(page, '[name=username]', 'bob');
  await tabTo(page, '[name=password]', 'wrong', 'Enter');
  await page.waitForSelector('[role=alert]');
  await tabTo(page, '[name=password]', 'battery staple');
  await tabTo(page, '[name=keep]', 'Space');
  assert.ok(await page.isChecked('[name=keep]'));
  await tabTo(page, 'button.primary', 'Enter');
  await tabTo(page, '[name=decision][value=allow]', 'Enter');
  await atApplication();
  await page.goto(ask({ prompt: 'select_account consent' }));
  await tabTo(page, '[name=decision][value=continue]', 'Space');
  await tabTo(page, '[name=decision][value=deny]', 'Enter');
  await atApplication();
  await page.goto(server.url('account'));
  await tabTo(page, '[name=withdraw]', 'Enter');
  await page.waitForSelector('[role=status]');
  await tabTo(page, '[name=current_password]', 'battery staple');
  await tabTo(page, '[name=new_password]', 'paper clip on a desk');
  await tabTo(page, '[name=new_password_again]', 'paper clip on a desk', 'Enter');
  await page.waitForSelector('[role=status] :text("Your password has been changed")');
  await page.goto(server.url('oidc/logout', { client_id: 'shop' }));
  await tabTo(page, '[name=confirm]', 'Enter');
  await page.waitForSelector('h1:text("You are signed out")');
  await tabTo(page, 'main a.button', 'Enter');
  await page.waitForURL(`${app.origin}/`);
  await page.done();
});
