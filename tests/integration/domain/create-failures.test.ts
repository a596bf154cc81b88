import { describe, expect, it } from 'vitest';
import type { TestSubgraph } from '../../support/subgraph.ts';
import {
  breakUser,
  create,
  createFailing,
  EVENTS,
  expectOneMeeting,
  newEvents,
  read,
  rows,
  subgraph,
  useCreating,
} from './creating.ts';
import { ACME, ALWAYS, auditOf, forgetTokens, mendMicrosoft } from './support.ts';

const breakApp = (change: Parameters<TestSubgraph['simulator']['updateApp']>[2]) => async () => {
  await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, change);
  await forgetTokens(subgraph);
};
const answering =
  (status: number, code?: string | null, message = '') =>
  async () => {
    const body = code === undefined ? {} : { body: code === null ? null : { error: { code, message } } };
    await subgraph.simulator.addFault({ match: EVENTS, status, ...body, times: ALWAYS });
  };

useCreating();

describe('what Microsoft answers to a create', () => {
  it.each<[string, () => Promise<unknown>, string, RegExp]>([
    [
      'an expired secret',
      breakApp({ secrets: [{ value: ACME.secret, expiresAt: '2020-01-01T00:00:00Z' }] }),
      'CREDENTIALS_REJECTED',
      /client secret/,
    ],
    ['a disabled app', breakApp({ disabled: true }), 'CREDENTIALS_REJECTED', /app registration/],
    [
      'Calendars.ReadWrite missing',
      breakApp({ roles: ['User.Read.All'] }),
      'PERMISSION_MISSING',
      /grant admin consent/,
    ],
    [
      'a refusal although the role is there',
      answering(403, 'Forbidden', 'An error has occurred.'),
      'PERMISSION_MISSING',
      /wait, then run the verification/,
    ],
    [
      'Exchange keeping the app out',
      breakUser({ exchangeScopeAppIds: [] }),
      'MAILBOX_SCOPE_DENIED',
      /RBAC for Applications/,
    ],
    [
      'Exchange keeping the app out, the older words',
      answering(403, 'ErrorAccessDenied', 'Access to OData is disabled.'),
      'MAILBOX_SCOPE_DENIED',
      /RBAC for Applications/,
    ],
    [
      'an organizer who was deleted',
      () => subgraph.simulator.deleteUser(ACME.directoryId, ACME.organizer),
      'ORGANIZER_NOT_FOUND',
      /user principal name/,
    ],
    [
      'an organizer unknown to the directory',
      answering(404, 'Request_ResourceNotFound'),
      'ORGANIZER_NOT_FOUND',
      /user principal name/,
    ],
    ['no mailbox', breakUser({ hasMailbox: false }), 'MAILBOX_UNAVAILABLE', /Exchange Online/],
    [
      'a mailbox on premises',
      answering(404, 'MailboxNotHostedInExchangeOnline'),
      'MAILBOX_UNAVAILABLE',
      /in the cloud/,
    ],
    [
      'a time zone it does not know',
      answering(400, 'TimeZoneNotSupportedException'),
      'GRAPH_UNAVAILABLE',
      /request id/,
    ],
    [
      'a property it does not take',
      answering(400, 'ErrorPropertyValidationFailure'),
      'GRAPH_UNAVAILABLE',
      /request id/,
    ],
    [
      'an address it does not take',
      answering(400, 'ErrorInvalidRecipients', "At least one recipient isn't valid."),
      'GRAPH_UNAVAILABLE',
      /request id/,
    ],
    [
      'success in an unknown shape',
      async () => subgraph.simulator.addFault({ match: EVENTS, status: 201, body: { value: 1 }, times: ALWAYS }),
      'GRAPH_UNAVAILABLE',
      /request id/,
    ],
    ['no Teams licence', breakUser({ teamsEnabled: false }), 'MAILBOX_UNAVAILABLE', /Teams licence/],
  ])(
    '%s: is told with code and remedy, kept with the meeting, and mended by asking again',
    async (_name, breakIt, code, remedy) => {
      await breakIt();
      const { meeting, userErrors } = await createFailing();
      expect(userErrors).toMatchObject([{ code, remedy: expect.stringMatching(remedy), path: null }]);
      expect(meeting).toMatchObject({ joinUrl: null, failure: { code } });
      const stored = await read(meeting.id);
      expect(stored).toMatchObject({
        status: 'FAILED',
        joinUrl: null,
        failure: { code, message: userErrors[0]?.message, remedy: userErrors[0]?.remedy, willRetryAt: null },
      });
      expect(Math.abs(Date.parse(stored?.failure?.occurredAt ?? '') - Date.now())).toBeLessThan(60_000);
      expect(
        (await auditOf(subgraph, 'tenant-a', 'create')).filter(({ meeting_id }) => meeting_id === meeting.id),
      ).toMatchObject([{ outcome: 'accepted' }, { outcome: code }]);
      expect(await rows()).toMatchObject([{ id: meeting.id, status: 'FAILED' }]);

      await mendMicrosoft(subgraph);
      await forgetTokens(subgraph);
      expect(await newEvents()).toEqual([]);
      const again = await create();
      expect(again).toMatchObject({ meeting: { id: meeting.id, status: 'SCHEDULED', failure: null }, userErrors: [] });
      await expectOneMeeting(again.meeting);
    },
  );

  it.each<[string, () => Promise<unknown>, string, RegExp]>([
    ['a token that Graph refuses twice', answering(401), 'CREDENTIALS_REJECTED', /connect it again/],
    ['a missing folder', answering(404, 'ErrorItemNotFound'), 'NOT_FOUND', /nothing is left/],
    [
      'the limit of the mailbox',
      answering(429, 'ApplicationThrottled', 'Application is over its MailboxConcurrency limit.'),
      'GRAPH_THROTTLED',
      /Wait/,
    ],
    ['the general limit', answering(429), 'GRAPH_THROTTLED', /Wait/],
    ['500', answering(500), 'GRAPH_UNAVAILABLE', /Try again/],
    ['502 without a body', answering(502, null), 'GRAPH_UNAVAILABLE', /Try again/],
    ['503', answering(503), 'GRAPH_UNAVAILABLE', /Try again/],
    ['504 without a body', answering(504, null), 'GRAPH_UNAVAILABLE', /Try again/],
    [
      'a gateway’s HTML',
      async () =>
        subgraph.simulator.addFault({ match: EVENTS, status: 503, body: '<html>Bad gateway</html>', times: ALWAYS }),
      'GRAPH_UNAVAILABLE',
      /Try again/,
    ],
    [
      'cut connections',
      async () => subgraph.simulator.addFault({ match: EVENTS, cut: 'before', times: ALWAYS }),
      'GRAPH_UNAVAILABLE',
      /network/,
    ],
  ])('%s: is told and tried again by itself', async (_name, breakIt, code, remedy) => {
    await breakIt();
    const { meeting } = await createFailing('PROVISIONING');
    expect(meeting).toMatchObject({ joinUrl: null, failure: { code, remedy: expect.stringMatching(remedy) } });
    const { failure } = (await read(meeting.id)) ?? {};
    expect(failure).toMatchObject({ code });
    expect(Date.parse(failure?.willRetryAt ?? '')).toBeGreaterThan(Date.parse(failure?.occurredAt ?? ''));
    expect(
      (await auditOf(subgraph, 'tenant-a', 'create')).filter(({ meeting_id }) => meeting_id === meeting.id),
    ).toMatchObject([{ outcome: 'accepted' }, { outcome: code }]);

    await mendMicrosoft(subgraph);
    await forgetTokens(subgraph);
    await subgraph.runJobs({ early: true });
    await expectOneMeeting(meeting);
  });

  it('keeps the request id of the refusal, to quote to Microsoft', async () => {
    await breakUser({ exchangeScopeAppIds: [] })();
    const { meeting } = await createFailing();
    const [request] = await subgraph.simulator.requests(EVENTS);
    expect((await read(meeting.id))?.failure?.graphRequestId).toBe(request?.requestId);
    expect(subgraph.logs.findLast(({ msg }) => msg === '[TeamsMeetings] operation=create')).toMatchObject({
      tenantId: 'tenant-a',
      meetingId: meeting.id,
      outcome: 'MAILBOX_SCOPE_DENIED',
      graphRequestId: request?.requestId,
      durationMs: expect.any(Number),
    });
  });

  it('logs neither join links nor what the meeting is about', async () => {
    const { meeting } = await create({ subject: 'Confidential merger', description: 'Secret plan' });
    const logs = JSON.stringify(subgraph.logs);
    expect(logs).toContain(meeting?.id);
    expect(logs).not.toMatch(/Confidential merger|Secret plan|jane@acme|meetup-join|teams\.microsoft\.com|eyJ/);
  });
});

describe('a hiccup that passes', () => {
  it.each<[string, object]>([
    ['503 with a Retry-After', { status: 503, headers: { 'retry-after': '2' } }],
    ['429', { status: 429, headers: { 'retry-after': '1' } }],
    ['504 although the event was made', { status: 504, body: null, after: true }],
    ['a connection cut before anything was made', { cut: 'before' }],
    ['a connection cut after the event was made', { cut: 'after' }],
    ['an answer that comes too late', { delayMs: 60_000 }],
    ['a token that was revoked', { status: 401 }],
  ])('%s leaves one event and nobody notices', async (_name, fault) => {
    await subgraph.simulator.addFault({ ...fault, match: EVENTS });
    const { meeting, userErrors } = await create();
    expect(userErrors).toEqual([]);
    // The delayed call goes on now: what it makes must be the event that is there already.
    await subgraph.simulator.clearFaults();
    await expectOneMeeting(meeting);
  });
});
