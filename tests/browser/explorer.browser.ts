import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { developmentHelp } from '../../src/cli/development-help.ts';
import { ROLES, type Role } from '../../src/cli/development-secrets.ts';
import { MICROSOFT } from '../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../support/subgraph.ts';
import { openContext, startChromium, watch } from './chromium.ts';
import { openTab, run, showInAnswer, untilReady } from './explorer-page.ts';
import { takePicture, WIDTHS } from './pictures.ts';

const { clientId, directoryId, organizer } = MICROSOFT['tenant-a'];

interface Verified {
  verifyTeamsOrganizer: {
    verification: {
      outcome: string;
      checks: { name: string; status: string; remedy: string | null }[];
    };
  };
}

interface Diagnosed {
  runTeamsDiagnostics: {
    report: {
      overall: string;
      recommendations: string[];
      steps: { name: string; status: string; remedy: string | null }[];
    };
  };
}

let browser: Browser;
let context: BrowserContext;
let directory: string;
let subgraph: TestSubgraph;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'explorer-'));
  const development = {
    ...(await developmentHelp(directory)),
    // Signed by the identity provider that the test's subgraph trusts.
    tokenFor: async (role: string) => (Object.hasOwn(ROLES, role) ? subgraph.tokens.token(role as Role) : null),
  };
  browser = await startChromium();
  subgraph = await startTestSubgraph({ explorer: { development } });
  // One for all tests, so that what may be kept is fetched once.
  context = await openContext(browser);
});
afterAll(async () => {
  await browser?.close();
  await subgraph?.close();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

/** Opens the explorer of a subgraph and waits until its schema has arrived, where one is told. */
async function open(width: number, { url }: TestSubgraph = subgraph): Promise<{ page: Page; troubles: string[] }> {
  const page = await context.newPage();
  await page.setViewportSize({ width, height: width < 500 ? 844 : 800 });
  const troubles = watch(page, url);
  await page.goto(`${url}/`);
  await untilReady(page);
  return { page, troubles };
}

describe.each(WIDTHS)('the explorer at %i px', (width) => {
  it('opens with the operations of the runbook in its order, and asks nobody but us', async () => {
    const { page, troubles } = await open(width);
    expect(await page.getByRole('tab').allInnerTexts()).toEqual([
      'Connect',
      'Save',
      'Verify',
      'Diagnose',
      'Create',
      'Refresh',
      'Search',
    ]);
    const addresses = await page.$$eval('a[href], form[action]', (found) =>
      found.map((one) =>
        one instanceof HTMLAnchorElement ? one.href : one instanceof HTMLFormElement ? one.action : '',
      ),
    );
    for (const address of addresses) expect(address.startsWith(`${subgraph.url}/`)).toBe(true);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow).toBe(0);
    await takePicture(page, 'explorer');
    expect(troubles).toEqual([]);
    await page.close();
  });

  it('lets an admin save, verify and diagnose, read what is red and what to do, and verify again once it is done', async () => {
    await subgraph.simulator.updateUser(directoryId, organizer, { teamsPolicyAppIds: [] });
    const { page, troubles } = await open(width);
    expect(await run(page)).toMatchObject({ data: { connectMicrosoftApp: { userErrors: [] } } });
    await openTab(page, 'Save');
    expect(await run(page)).toMatchObject({
      data: {
        updateTeamsSettings: {
          settings: { installStatus: 'ACTIVE', organizer: { userPrincipalName: organizer } },
          userErrors: [],
        },
      },
    });
    await openTab(page, 'Verify');
    const red = (await run<Verified>(page)).data?.verifyTeamsOrganizer.verification;
    expect(red?.outcome).toBe('POLICY_MISSING');
    expect(red?.checks.find(({ name }) => name === 'policy')).toMatchObject({
      status: 'FAIL',
      remedy: expect.stringContaining('Grant-CsApplicationAccessPolicy'),
    });
    await showInAnswer(page, 'FAIL');
    await takePicture(page, 'verify');

    await openTab(page, 'Diagnose');
    const report = (await run<Diagnosed>(page)).data?.runTeamsDiagnostics.report;
    expect(report?.overall).toBe('FAIL');
    expect(report?.recommendations).not.toEqual([]);
    expect(report?.steps.find(({ name }) => name === 'microsoft-policy')).toMatchObject({
      status: 'FAIL',
      remedy: expect.stringContaining('Grant-CsApplicationAccessPolicy'),
    });
    await showInAnswer(page, 'microsoft-policy');
    await takePicture(page, 'diagnose');
    const opened = context.waitForEvent('page');
    await page.getByRole('button', { name: 'Status page' }).click();
    const status = await opened;
    await status.setViewportSize(page.viewportSize() ?? { width, height: 800 });
    await status.getByText('Something is broken').waitFor();
    await takePicture(status, 'status');
    await status.close();
    await openTab(page, 'Verify');

    await subgraph.simulator.updateUser(directoryId, organizer, { teamsPolicyAppIds: [clientId] });
    expect((await run<Verified>(page)).data?.verifyTeamsOrganizer.verification.outcome).toBe('VERIFIED');
    expect(troubles).toEqual([]);
    await page.close();
  });

  it('makes a meeting for the demo tenant as it is', async () => {
    const { page, troubles } = await open(width);
    await openTab(page, 'Create');
    const { data } = await run<{ createTeamsMeeting: { meeting: { joinUrl: string }; userErrors: [] } }>(page);
    expect(data?.createTeamsMeeting).toMatchObject({ meeting: { joinUrl: expect.any(String) }, userErrors: [] });
    await openTab(page, 'Search');
    expect(await run(page)).toEqual({ data: { searchTranscripts: { edges: [] } } });
    expect(troubles).toEqual([]);
    await page.close();
  });
});

describe('the token', () => {
  it('is that of the role that was picked, and opens no more', async () => {
    const { page, troubles } = await open(1280);
    const fetched = page.waitForResponse(/explorer\/tokens$/);
    await page.getByLabel('Role').selectOption('technician');
    await (await fetched).finished();
    await openTab(page, 'Save');
    expect((await run(page)).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    expect(troubles).toEqual([]);
    await page.close();
  });

  it('opens the status page in a tab of its own, without being in its address', async () => {
    const { page, troubles } = await open(1280);
    const opened = context.waitForEvent('page');
    await page.getByRole('button', { name: 'Status page' }).click();
    const status = await opened;
    await status.getByText('Tenant tenant-a').waitFor();
    expect(status.url()).toBe(`${subgraph.url}/status`);
    expect(await status.evaluate(() => [window.opener, document.referrer])).toEqual([null, '']);
    expect(troubles).toEqual([]);
    await Promise.all([page.close(), status.close()]);
  });

  it('is in no address, and nothing of it or of the tabs outlives the page', async () => {
    const { page } = await open(1280);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await run(page);
    const token = await page.getByLabel('Token').inputValue();
    expect(token.split('.')).toHaveLength(3);
    for (const address of [...asked, page.url()]) expect(address).not.toContain(token);
    const kept = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, history.state]),
    );
    expect(kept).toBe('[{},{},"",null]');
    await page.close();
  });
});

describe('in production, where it was switched on', () => {
  it('is readable without the schema, holds placeholders and takes the token that is typed', async () => {
    const production = await startTestSubgraph({ explorer: {}, introspection: false, isProduction: true });
    const { page, troubles } = await open(1280, production);
    await page.getByText('INTROSPECTION=off').waitFor();
    expect(await page.getByLabel('Role').isVisible()).toBe(false);
    await page.getByText('<application (client) id>').waitFor();
    await openTab(page, 'Verify');
    expect((await run(page)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    await page.getByLabel('Token').fill(`Bearer ${await production.tokens.token('admin')}`);
    expect(await run(page)).toMatchObject({
      data: { verifyTeamsOrganizer: { userErrors: [{ code: 'NOT_CONFIGURED' }] } },
    });
    expect(troubles).toEqual([]);
    await page.close();
    await production.close();
  });
});
