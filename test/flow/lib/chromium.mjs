// SPDX-License-Identifier: Apache-2.0
// Debian's Chromium, driven by playwright-core. A page that logs an error fails its test.
import assert from 'node:assert/strict';
import { after } from 'node:test';
import fs from 'node:fs';

const { chromium } = await import('playwright-core');
const paths = [process.env.OAS_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export async function startChromium() {
  const executablePath = paths.find((path) => path && fs.existsSync(path));
  assert.ok(executablePath, 'no Chromium found; set OAS_CHROMIUM');
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking', '--no-proxy-server'],
  });
  console.log(`Chromium ${browser.version()}`);
  after(() => browser.close());
  return browser;
}

/** A fresh profile with one page. `page.problems` are what its console and its policy complained about. */
export async function newPage(browser, options = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(10_000);
  return watch(await context.newPage());
}

export function watch(page) {
  page.problems = [];
  page.on('console', (message) => {
    const icon = message.location().url.endsWith('/favicon.ico'); // asked for by the browser, not by the page
    if (['error', 'warning'].includes(message.type()) && !icon) page.problems.push(message.text());
  });
  page.on('pageerror', (error) => page.problems.push(String(error)));
  return page;
}

export async function signIn(page, username = 'alice', password = 'correct horse') {
  await page.fill('input[name=username]', username);
  await page.fill('input[name=password]', password);
  await page.click('button[type=submit]');
}

export function decide(page, decision = 'allow') {
  return page.click(`button[name=decision][value=${decision}]`);
}
