import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';

/** `UPDATE_PICTURES=1` puts the pictures of the runbook where it shows them; else they go where nobody has to tidy. */
const FOLDER =
  process.env.UPDATE_PICTURES === '1' ? fileURLToPath(new URL('../../docs/pictures/', import.meta.url)) : tmpdir();

/** Takes a picture of what is seen, at the width of a desk and of a phone. */
export const WIDTHS = [1280, 390] as const;

export async function takePicture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(FOLDER, `${name}-${page.viewportSize()?.width}.png`), animations: 'disabled' });
}
