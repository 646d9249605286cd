// SPDX-License-Identifier: Apache-2.0
// Debian's Chromium, driven by playwright-core. A page that logs an error fails its test.
import assert from 'node:assert/strict';
import { after } from 'node:test';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const { chromium } = await import('playwright-core');
const patience = 60_000;
const paths = [process.env.OAS_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

function launchOptions() {
  const executablePath = paths.find((file) => file && fs.existsSync(file));
  assert.ok(executablePath, 'no Chromium found; set OAS_CHROMIUM');
  return { executablePath, timeout: 2 * patience, args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking', '--no-proxy-server'] };
}

export async function startChromium() {
  const browser = await chromium.launch(launchOptions());
  console.log(`Chromium ${browser.version()}`);
  after(() => browser.close());
  return browser;
}

/** A fresh profile with one page. `page.problems` are what its console and its policy complained about. */
export async function newPage(browser, options = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(patience);
  const page = watch(await context.newPage());
  page.done = () => context.close();
  return page;
}

/**
 * A page of a browser with a profile of its own in `dir`, which stays when it is closed: page.done().
 * @param options of playwright; `args` are further ones
 */
export async function openProfile(dir, { args = [], ...options } = {}) {
  const launch = launchOptions();
  const context = await chromium.launchPersistentContext(dir, { ...launch, ...options, args: [...launch.args, ...args] });
  context.setDefaultTimeout(patience);
  const page = watch(await context.newPage());
  page.done = () => context.close();
  return page;
}

/**
 * A browser that sends cookies in frames of other sites, which the packaged one does not unasked.
 * @returns what makes a page in it, without any cookie: it has one profile, so pages are used one after the other
 */
export async function startChromiumWithThirdPartyCookies() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'oas-profile-'));
  fs.mkdirSync(path.join(dir, 'Default'));
  fs.writeFileSync(
    path.join(dir, 'Default', 'Preferences'),
    JSON.stringify({ profile: { cookie_controls_mode: 0, block_third_party_cookies: false } }),
  );
  const context = await chromium.launchPersistentContext(dir, launchOptions());
  context.setDefaultTimeout(patience);
  after(async () => {
    await context.close();
    fs.rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  });
  return async () => {
    await context.clearCookies();
    const page = watch(await context.newPage());
    page.done = async () => {
      for (const one of context.pages().slice(1)) await one.close(); // the first keeps the browser
    };
    return page;
  };
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
  await page.click('button.primary'); // there may be buttons of other ways to sign in before it
}

/** The browser moves the cursor there (autofocus) a moment after the page has loaded; what is typed before goes nowhere. */
export function cursorIn(page, name) {
  return page.waitForSelector(`input[name=${name}]:focus`);
}

export function decide(page, decision = 'allow') {
  return page.click(`button[name=decision][value=${decision}]`);
}
