import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { DiagnosticsReport } from '../../src/services/diagnostics/report.ts';
import type { Scope } from '../../src/services/scope.ts';
import { activate, MICROSOFT, succeed, UPDATE_SETTINGS } from '../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../support/subgraph.ts';
import { openContext, startChromium, watch } from './chromium.ts';
import { WIDTHS } from './pictures.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const VERIFY = 'mutation { verifyTeamsOrganizer { verification { outcome } userErrors { code } } }';
const { directoryId, organizer, clientId } = MICROSOFT['tenant-a'];

/** What is told as the tenant's latest diagnosis. */
let diagnosis: DiagnosticsReport | null = null;

let browser: Browser;
let subgraph: TestSubgraph;
let admin: string;
const contexts: BrowserContext[] = [];
beforeAll(async () => {
  browser = await startChromium();
  subgraph = await startTestSubgraph({
    replace: ({ clock }) => {
      const services = {
        clock,
        diagnostics: {
          latest: async (_scope: Scope) => diagnosis,
          run: () => Promise.reject(new Error('The page runs nothing')),
        },
      };
      return services;
    },
  });
  admin = await activate(subgraph);
});
afterAll(async () => {
  await browser?.close();
  await subgraph?.close();
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});

/** A diagnosis that found something of every kind. */
function mixedDiagnosis(): DiagnosticsReport {
  const step = (
    name: string,
    title: string,
    status: 'PASS' | 'WARN' | 'FAIL' | 'SKIP',
    detail: string,
    remedy: string | null = null,
  ) => ({
    name,
    title,
    status,
    detail,
    remedy,
    durationMs: 12,
  });
  return {
    overall: 'FAIL',
    ranAt: new Date(Date.now() - 5 * 60_000),
    recommendations: [
      'Grant the Teams application access policy to the organizer.',
      'Replace the client secret before it expires.',
    ],
    steps: [
      step('settings', 'Integration', 'PASS', 'The integration is active.'),
      step(
        'credential',
        'Credential',
        'WARN',
        'The client secret expires in 12 days.',
        'Make a new one and run connectMicrosoftApp.',
      ),
      step(
        'policy',
        'Teams policy',
        'FAIL',
        'No Teams application access policy allows this app to act for the organizer.',
        'Grant it and wait up to 30 minutes.',
      ),
      step('queue', 'Background jobs', 'PASS', 'Three jobs wait, the oldest for four seconds.'),
      step('blobs', 'Store of recordings', 'SKIP', 'None is configured.'),
    ],
    permissions: [
      { name: 'User.Read.All', grantedInToken: true, usedFor: 'finding the organizer', required: true },
      { name: 'OnlineMeetingArtifact.Read.All', grantedInToken: false, usedFor: 'who attended', required: false },
    ],
  };
}

interface Look {
  width?: number;
  colorScheme?: 'light' | 'dark';
  javaScriptEnabled?: boolean;
}

async function openForm({ width = 1280, colorScheme = 'light', javaScriptEnabled = true }: Look = {}) {
  const context = await openContext(browser, {
    viewport: { width, height: width < 500 ? 844 : 800 },
    colorScheme,
    javaScriptEnabled,
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  contexts.push(context);
  const page = await context.newPage();
  const troubles = watch(page, subgraph.url);
  await page.goto(`${subgraph.url}/status`);
  return { page, troubles };
}

async function bring(page: Page, token: string): Promise<void> {
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Show the status' }).click();
  await page.getByRole('heading', { level: 1 }).waitFor();
}

/** What axe finds to object to; it is put in by the debugger, which no policy of a page keeps out. */
async function objections(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const results = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as AxeResults;
  return results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}

async function breakPolicy(): Promise<void> {
  await subgraph.simulator.updateUser(directoryId, organizer, { teamsPolicyAppIds: [] });
  await subgraph.send(admin, VERIFY);
  diagnosis = mixedDiagnosis();
}

describe.each(WIDTHS)('the status page at %i px', (width) => {
  it.each(['light', 'dark'] as const)('can be read by everybody, in %s', async (colorScheme) => {
    await breakPolicy();
    const { page, troubles } = await openForm({ width, colorScheme });
    expect(await objections(page)).toEqual([]);
    await bring(page, admin);
    for (const summary of await page.locator('summary').all()) await summary.click();
    expect(await objections(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBe(0);
    for (const summary of await page.locator('summary').all()) await summary.click();
    await page.evaluate(() => window.scrollTo(0, 0));
    expect(troubles).toEqual([]);

    diagnosis = null;
    await subgraph.simulator.updateUser(directoryId, organizer, { teamsPolicyAppIds: [clientId] });
    await subgraph.send(admin, VERIFY);
    const mended = await openForm({ width, colorScheme });
    await bring(mended.page, admin);
    expect(await mended.page.locator('.verdict').getAttribute('class')).not.toContain('FAIL');
    expect(await objections(mended.page)).toEqual([]);
  });
});

describe('the status page', () => {
  it('tells whose token is not enough so, and nothing else, readable by everybody', async () => {
    const { page } = await openForm();
    await bring(page, await subgraph.tokens.token('technician'));
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').innerText()).toContain('does not allow');
    expect(await page.content()).not.toContain('tenant-a');
    expect(await objections(page)).toEqual([]);
  });

  it('copies the script beside a red step as it is', async () => {
    await breakPolicy();
    const { page, troubles } = await openForm();
    await bring(page, admin);
    const card = page.locator('.card.FAIL').filter({ hasText: 'Teams policy' });
    const script = await card.locator('pre').innerText();
    expect(script).toContain(`Grant-CsApplicationAccessPolicy`);
    await card.getByRole('button', { name: 'Copy the script' }).click();
    await card.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(script);
    expect(page.url()).toBe(`${subgraph.url}/status`);
    expect(troubles).toEqual([]);
  });

  it('shows the same without scripts, but for the buttons that would do nothing', async () => {
    await breakPolicy();
    const { page } = await openForm({ javaScriptEnabled: false });
    await bring(page, admin);
    expect(await page.locator('.card.FAIL pre').first().innerText()).toContain('Grant-CsApplicationAccessPolicy');
    expect(await page.getByRole('button').count()).toBe(0);
    expect(await page.context().cookies()).toEqual([]);
  });

  it('runs nothing that somebody has written into a name', async () => {
    const hostile = `"><img src=x onerror=alert(1)><script>alert(2)</script>`;
    const upn = `o'"><script>alert(3)</script>@acme.example`;
    await subgraph.simulator.putUser({
      directoryId,
      id: 'aaaaaaaa-0000-4000-8000-0000000000fe',
      userPrincipalName: upn,
      displayName: hostile,
      teamsPolicyAppIds: [],
    });
    await succeed(subgraph, admin, UPDATE_SETTINGS, { organizerUserPrincipalName: upn });
    await breakPolicy();
    diagnosis?.steps.push({
      name: 'policy',
      title: hostile,
      status: 'FAIL',
      detail: hostile,
      remedy: hostile,
      durationMs: 1,
    });
    const { page, troubles } = await openForm();
    const dialogs: string[] = [];
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    await bring(page, admin);
    await page.getByText('alert(3)').first().waitFor();
    expect(await page.locator('img').count()).toBe(0);
    expect([dialogs, troubles]).toEqual([[], []]);
  });
});
