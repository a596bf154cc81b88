import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const USUAL = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * Starts the machine's Chromium: the one of `CHROMIUM_PATH`, else of the usual places.
 * @throws Error that says what to install when there is none
 */
export async function startChromium(): Promise<Browser> {
  const wanted = process.env.CHROMIUM_PATH;
  const executablePath = wanted ?? USUAL.find((path) => existsSync(path));
  if (executablePath === undefined || !existsSync(executablePath)) {
    throw new Error(
      `There is no Chromium at ${wanted ?? USUAL.join(' or ')}. Install one (Debian: apt-get install chromium) or set CHROMIUM_PATH.`,
    );
  }
  return chromium.launch({
    executablePath,
    // In containers there is no user namespace for its sandbox; it only opens pages of the test.
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
  });
}
