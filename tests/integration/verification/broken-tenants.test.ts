import { afterEach, describe, expect, it } from 'vitest';
import { BROKEN_TENANTS } from '../../support/broken-tenants.ts';
import { MICROSOFT } from '../../support/setup.ts';
import { admin, checkOf, mend, named, subgraph, useVerification, verified } from './support.ts';

const { directoryId, organizer } = MICROSOFT['tenant-a'];

useVerification();
afterEach(mend);

const probeEvents = async () =>
  (await subgraph.simulator.listEvents(directoryId, organizer)).filter(({ subject }) => /verification/.test(subject));

describe('a tenant in order', () => {
  it('is verified, with nothing red, in a fixed order of checks', async () => {
    const verification = await verified();
    expect(verification.outcome).toBe('VERIFIED');
    expect(named(verification, 'FAIL')).toEqual([]);
    expect(named(verification, 'WARN')).toEqual([]);
    expect(named(verification, 'SKIP')).toEqual(['mailbox-outside', 'transcript-attribution']);
    expect(verification.checks.map(({ name }) => name)).toEqual([
      'directory',
      'app',
      'secret',
      'roles',
      'organizer',
      'organizer-account',
      'organizer-licence',
      'exchange-scope',
      'mailbox',
      'provider',
      'mailbox-outside',
      'meeting',
      'policy',
      'recordings',
      'transcript-access',
      'transcripts',
      'transcript-attribution',
      'webhook',
    ]);
  });
});

it('knows at least 26 ways to be broken, each with a name of its own', () => {
  expect(new Set(BROKEN_TENANTS.map(({ name }) => name)).size).toBe(BROKEN_TENANTS.length);
  expect(BROKEN_TENANTS.length).toBeGreaterThanOrEqual(26);
});

describe.each(BROKEN_TENANTS)('$name', (broken) => {
  it('is named with its remedy, and nothing else is red; repaired, it is verified', async () => {
    await broken.break(subgraph);
    const verification = await verified(
      broken.outsideMailbox === undefined ? {} : { outsideMailbox: broken.outsideMailbox },
    );
    expect({
      outcome: verification.outcome,
      failing: named(verification, 'FAIL'),
      warning: named(verification, 'WARN'),
    }).toEqual({ outcome: broken.outcome, failing: broken.failing, warning: broken.warning });

    const told = checkOf(verification, broken.failing[0] ?? broken.warning[0] ?? '');
    expect(told.detail).toMatch(broken.detail);
    expect(told.remedy).toMatch(broken.remedy);
    for (const { status, detail, remedy, durationMs } of verification.checks) {
      expect(detail).toMatch(/\S/);
      expect(durationMs).toBeGreaterThanOrEqual(0);
      if (status === 'FAIL' || status === 'WARN') expect(remedy).toMatch(/\S/);
      else expect(remedy).toBeNull();
    }

    await mend();
    const { data } = await subgraph.send<{ teamsSettings: { lastVerification: unknown } }>(
      admin,
      '{ teamsSettings { lastVerification { outcome ranAt checks { name status detail remedy durationMs graphRequestId } } } }',
    );
    expect(data?.teamsSettings.lastVerification).toEqual(verification);
    expect((await verified()).outcome).toBe('VERIFIED');
    // What an outage kept from being removed goes by itself.
    await subgraph.runJobs({ early: true });
    expect(await probeEvents()).toEqual([]);
  });
});
