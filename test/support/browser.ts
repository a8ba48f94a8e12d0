import { type Browser, chromium } from 'playwright-core';
import type { Scope } from './gateway-process.ts';
import { systemProgram } from './system-program.ts';

/** Nothing but what the test does: no first run, no updates, no account. */
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A real browser with a profile of its own, to which `evil.test` is this machine, as to one whose name server lies. Closed when the test ends. */
export async function startBrowser(scope: Scope): Promise<Browser> {
  const executablePath = systemProgram({
    names: ['chromium', 'chromium-browser', 'google-chrome'],
    aptPackage: 'chromium',
  });
  const browser = await chromium.launch({
    executablePath,
    args: [...flags, '--host-resolver-rules=MAP evil.test 127.0.0.1'],
  });
  scope.after(() => browser.close());
  return browser;
}
