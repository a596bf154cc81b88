import { describe, expect, it } from 'vitest';
import { ACME, ALWAYS, forgetTokens, mendMicrosoft, TOKEN_ENDPOINT } from '../domain/support.ts';
import {
  type Answer,
  ask,
  calendar,
  calls,
  cancel,
  changeUser,
  eventIdOf,
  inDays,
  instant,
  type ReadMeeting,
  read,
  reschedule,
  retry,
  rowOf,
  schedule,
  subgraph,
  useLifecycle,
} from './support.ts';

// The numbers are those of the project's list of Microsoft's edge cases; 7 to 12 are about recordings and webhooks.
useLifecycle();

const { directoryId, organizer } = ACME;

const POSTS_EVENT = { method: 'POST', path: '/events$' };
const READS_EVENT = { method: 'GET', path: '/events/' };
const SEARCHES_EVENTS = { method: 'GET', path: '/events\\?' };
const NONE_FOUND = { match: SEARCHES_EVENTS, status: 200, body: { value: [] } };

const error = (code: string, message = '', more: object = {}) => ({ error: { code, message, ...more } });

/** How long the subgraph means to wait, as the meeting tells it. */
async function waitOf(id: string): Promise<number> {
  const { failure } = await read(id);
  const [row] = await subgraph.database.query<{ at: string }>(
    "SELECT failure->>'occurredAt' AS at FROM online_meetings WHERE id = $1",
    [id],
  );
  return instant(failure?.willRetryAt ?? '') - instant(row?.at ?? '');
}

function made({ meeting, userErrors }: Answer): ReadMeeting {
  if (meeting === null) throw new Error(JSON.stringify(userErrors));
  return meeting;
}

async function expectOneEvent(id: string, event: object = {}): Promise<void> {
  expect(await calendar()).toMatchObject([{ immutableId: await eventIdOf(id), isOnlineMeeting: true, ...event }]);
  expect(await read(id)).toMatchObject({ status: 'SCHEDULED', failure: null });
}

describe('1: throttled calls', () => {
  it('are not put into a batch, and each waits as long as it was told to', async () => {
    const seconds = [30, 45, 300];
    const ids: string[] = [];
    for (const wait of seconds) {
      await subgraph.simulator.addFault({ match: POSTS_EVENT, status: 429, headers: { 'retry-after': `${wait}` } });
      ids.push(made(await ask()).id);
    }
    const waits = await Promise.all(ids.map(waitOf));
    expect(waits.map((wait) => Math.round(wait / 5_000) * 5)).toEqual(seconds);
    expect(await read(ids[0] ?? '')).toMatchObject({ status: 'PROVISIONING', failure: { code: 'GRAPH_THROTTLED' } });
    await subgraph.runJobs();
    // Nobody came back early.
    expect((await calls()).filter((call) => call === 'POST /events')).toHaveLength(3);
    await subgraph.runJobs({ early: true });
    for (const id of ids) expect(await read(id)).toMatchObject({ status: 'SCHEDULED', failure: null });
    expect((await subgraph.simulator.requests()).filter(({ path }) => path.includes('$batch'))).toEqual([]);
  });
});

describe('2: a create whose answer was a 504', () => {
  it('is sent again with the same transactionId and makes one event', async () => {
    await subgraph.simulator.addFault({ match: POSTS_EVENT, status: 504, body: null, after: true });
    // Exchange does not have to find at once what it has just made.
    await subgraph.simulator.addFault(NONE_FOUND);
    const { id } = made(await ask());
    const requests = await subgraph.simulator.requests({ method: 'POST', path: '/events' });
    expect(requests.map(({ status }) => status)).toEqual([504, 201]);
    expect(requests[1]?.body).toEqual(requests[0]?.body);
    expect(requests[0]?.body).toMatchObject({ transactionId: (await rowOf(id)).transaction_id });
    await expectOneEvent(id);
  });
});

describe('3: a create with a used transactionId and another subject', () => {
  it('gets the event that is there, and brings it to what is wanted', async () => {
    await subgraph.simulator.addFault({ match: POSTS_EVENT, status: 504, body: null, after: true, times: ALWAYS });
    await subgraph.simulator.addFault({ ...NONE_FOUND, times: ALWAYS });
    const { id, status } = made(await ask());
    expect(status).toBe('PROVISIONING');
    const [event] = await calendar();
    await subgraph.simulator.clearFaults();
    await subgraph.simulator.addFault(NONE_FOUND);
    await subgraph.simulator.clearRequests();
    const times = inDays(4);
    await reschedule(id, { ...times, subject: 'Another subject' });
    const posts = await subgraph.simulator.requests({ method: 'POST', path: '/events' });
    expect(posts.map((post) => post.status)).toEqual([400]);
    await expectOneEvent(id, { subject: 'Another subject', immutableId: event?.immutableId });
    expect(instant((await calendar())[0]?.startsAt ?? '')).toBe(instant(times.startsAt));
  });

  it('makes a new event when the one that is named is gone', async () => {
    await subgraph.simulator.setTransactionMemory('forever');
    await subgraph.simulator.addFault({ match: POSTS_EVENT, status: 504, body: null, after: true, times: ALWAYS });
    await subgraph.simulator.addFault({ ...NONE_FOUND, times: ALWAYS });
    const { id } = made(await ask());
    await subgraph.simulator.deleteEvent(directoryId, organizer, (await calendar())[0]?.immutableId ?? '');
    await subgraph.simulator.clearFaults();
    await retry(id);
    await expectOneEvent(id);
  });

  it('makes no second event when a gateway cannot find the one that is named', async () => {
    await subgraph.simulator.addFault({ match: POSTS_EVENT, status: 504, body: null, after: true, times: ALWAYS });
    await subgraph.simulator.addFault({ ...NONE_FOUND, times: ALWAYS });
    const { id } = made(await ask());
    await subgraph.simulator.clearFaults();
    await subgraph.simulator.addFault(NONE_FOUND);
    await subgraph.simulator.addFault({ match: READS_EVENT, status: 404, body: '<html>Not Found</html>' });
    await reschedule(id, { ...inDays(4), subject: 'Another subject' });
    // At once, and not by the sweep that would remove a second one.
    await expectOneEvent(id, { subject: 'Another subject' });
  });
});

describe('4: a changed event', () => {
  it('keeps its join block and its meeting: no PATCH has a body', async () => {
    const { id, joinUrl } = await schedule();
    expect(await reschedule(id, { ...inDays(6), subject: 'Another subject' })).toMatchObject({ userErrors: [] });
    const patches = await subgraph.simulator.requests({ method: 'PATCH' });
    expect(patches.length).toBeGreaterThan(0);
    for (const { body } of patches) expect(Object.keys(body as object)).not.toContain('body');
    await expectOneEvent(id, { subject: 'Another subject', joinUrl });
    expect((await calendar())[0]?.bodyHtml).toContain('Join the meeting now');
    expect(await read(id)).toMatchObject({ joinUrl });
  });
});

describe('5: an event that was moved to another folder', () => {
  it('is reached by its immutable id, for a reschedule and for the cancellation', async () => {
    const { id } = await schedule();
    const [before] = await calendar();
    await subgraph.simulator.moveEvent(directoryId, organizer, await eventIdOf(id));
    expect((await calendar())[0]?.id).not.toBe(before?.id);
    const times = inDays(6);
    expect(await reschedule(id, times)).toMatchObject({ userErrors: [], meeting: { status: 'SCHEDULED' } });
    expect(instant((await calendar())[0]?.startsAt ?? '')).toBe(instant(times.startsAt));
    await subgraph.simulator.moveEvent(directoryId, organizer, await eventIdOf(id));
    expect(await cancel(id)).toMatchObject({ userErrors: [], meeting: { status: 'CANCELLED' } });
    expect(await calendar()).toEqual([]);
    const requests = await subgraph.simulator.requests({ host: 'graph' });
    for (const { headers } of requests) expect(headers.prefer).toContain('IdType="ImmutableId"');
  });
});

describe('6: the filter by join link', () => {
  const searched = async () =>
    (await subgraph.simulator.requests({ path: '/onlineMeetings' })).map(({ query }) => query.$filter);

  it.each(['classic', 'short'] as const)('finds a %s link, percent signs and all', async (joinUrlFormat) => {
    await changeUser({ joinUrlFormat });
    const { id, joinUrl } = await schedule();
    expect(await searched()).toEqual([`JoinWebUrl eq '${joinUrl}'`]);
    const [row] = await subgraph.database.query<{ found: string | null }>(
      'SELECT graph_online_meeting_id AS found FROM online_meetings WHERE id = $1',
      [id],
    );
    expect(row?.found).toBe((await calendar())[0]?.meetingId);
  });

  it('doubles an apostrophe', async () => {
    const times = inDays(3);
    const zoned = (text: string) => ({ dateTime: text.replace('Z', '0000'), timeZone: 'UTC' });
    const joinUrl = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_O'Brien%40thread.v2/0?context=%7b%7d";
    await subgraph.simulator.addFault({
      match: POSTS_EVENT,
      status: 201,
      body: {
        id: 'AAkALg-made-elsewhere',
        subject: 'Quarterly review',
        start: zoned(times.startsAt),
        end: zoned(times.endsAt),
        isOnlineMeeting: true,
        onlineMeetingProvider: 'teamsForBusiness',
        onlineMeeting: { joinUrl },
        attendees: [],
      },
    });
    const { status } = made(await ask({ ...times, attendees: [] }));
    expect(await searched()).toEqual([`JoinWebUrl eq '${joinUrl.replace("'", "''")}'`]);
    expect(status).toBe('SCHEDULED');
  });
});

describe('13: tokens', () => {
  const tokenRequests = () => subgraph.simulator.requests({ path: TOKEN_ENDPOINT });
  const REFUSED = { status: 401, body: error('InvalidAuthenticationToken', 'Access token has expired.') };

  it('that Graph refuses midway are fetched anew, once', async () => {
    await subgraph.simulator.addFault({ ...REFUSED, match: READS_EVENT });
    const { id } = await schedule();
    await subgraph.simulator.clearRequests();
    const times = inDays(5);
    expect(await reschedule(id, times)).toMatchObject({ userErrors: [], meeting: { status: 'SCHEDULED' } });
    expect(await tokenRequests()).toHaveLength(1);
    expect((await calls()).filter((call) => call.startsWith('GET /events/'))).toHaveLength(2);
  });

  it('that Graph goes on refusing are told and tried again later', async () => {
    await subgraph.simulator.addFault({ ...REFUSED, match: POSTS_EVENT, times: ALWAYS });
    const { id } = made(await ask());
    expect(await read(id)).toMatchObject({
      status: 'PROVISIONING',
      failure: { code: 'CREDENTIALS_REJECTED', willRetryAt: expect.any(String) },
    });
    // Each try of the meeting renews the token once.
    const posts = (await calls()).filter((call) => call === 'POST /events');
    expect(posts.length).toBeLessThanOrEqual(6);
    await subgraph.simulator.clearFaults();
    await subgraph.runJobs({ early: true });
    await expectOneEvent(id);
  });

  it('without the claim roles say that a permission is missing', async () => {
    await subgraph.simulator.updateApp(directoryId, ACME.clientId, { roles: [] });
    await forgetTokens(subgraph);
    const { meeting, userErrors } = await ask();
    expect(meeting).toMatchObject({ status: 'FAILED', failure: { code: 'PERMISSION_MISSING', willRetryAt: null } });
    expect(userErrors).toMatchObject([{ code: 'PERMISSION_MISSING', remedy: expect.stringMatching(/admin consent/) }]);
    await mendMicrosoft(subgraph);
    await forgetTokens(subgraph);
    await retry(meeting?.id ?? '');
    await expectOneEvent(meeting?.id ?? '');
  });
});

describe('14: how long to wait', () => {
  it.each<[string, number, () => Record<string, string>, number, number]>([
    ['seconds', 429, () => ({ 'retry-after': '120' }), 120_000, 120_000],
    // A date has no fractions of a second, and some time passes until it is read.
    ['an HTTP date', 429, () => ({ 'retry-after': new Date(Date.now() + 600_000).toUTCString() }), 560_000, 600_000],
    ['seconds with a 503', 503, () => ({ 'retry-after': '60' }), 60_000, 60_000],
    ['nothing with a 503', 503, () => ({}), 1_000, 2_000],
    ['a date that has passed', 503, () => ({ 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }), 1_000, 2_000],
    ['something unreadable', 503, () => ({ 'retry-after': 'soon' }), 1_000, 2_000],
  ])('is said by %s', async (_name, status, headers, atLeast, atMost) => {
    await subgraph.simulator.addFault({ match: POSTS_EVENT, status, headers: headers(), times: ALWAYS });
    const { id } = made(await ask());
    const waitMs = await waitOf(id);
    expect(waitMs).toBeGreaterThanOrEqual(atLeast);
    // The failure is noted a moment before the next try is planned.
    expect(waitMs).toBeLessThanOrEqual(atMost + 2_000);
    await subgraph.simulator.clearFaults();
    await subgraph.runJobs({ early: true });
    await expectOneEvent(id);
  });
});

describe('15: organizers who cannot hold a meeting', () => {
  it('for want of a mailbox', async () => {
    await changeUser({ hasMailbox: false });
    const { meeting, userErrors } = await ask();
    expect(meeting).toMatchObject({ status: 'FAILED', joinUrl: null, failure: { willRetryAt: null } });
    expect(userErrors).toMatchObject([{ code: 'MAILBOX_UNAVAILABLE', remedy: expect.stringMatching(/licence/) }]);
    await mendMicrosoft(subgraph);
    await retry(meeting?.id ?? '');
    await expectOneEvent(meeting?.id ?? '');
  });

  it('for want of Teams: the event without a meeting is removed again', async () => {
    await changeUser({ teamsEnabled: false });
    const { meeting, userErrors } = await ask();
    expect(meeting).toMatchObject({ status: 'FAILED', joinUrl: null, failure: { willRetryAt: null } });
    expect(userErrors).toMatchObject([{ code: 'MAILBOX_UNAVAILABLE', remedy: expect.stringMatching(/Teams/) }]);
    expect((await calls()).slice(0, 2)).toEqual(['POST /events', expect.stringMatching(/^DELETE \/events\//)]);
    expect(await calendar()).toEqual([]);
    await mendMicrosoft(subgraph);
    await retry(meeting?.id ?? '');
    await expectOneEvent(meeting?.id ?? '');
  });
});

describe('16: answers that are not as documented', () => {
  it.each(['innerError', 'innererror'])('%s tells the cause', async (name) => {
    const body = error('ResourceNotFound', '', { [name]: { code: 'MailboxNotEnabledForRESTAPI' } });
    await subgraph.simulator.addFault({ match: POSTS_EVENT, status: 404, body });
    expect(await ask()).toMatchObject({ meeting: { status: 'FAILED', failure: { code: 'MAILBOX_UNAVAILABLE' } } });
  });

  it.each<[string, number, string | null]>([
    ['a 404 without a body', 404, null],
    ['a 404 in HTML', 404, '<html><body>Not Found</body></html>'],
    ['a 410 without a body', 410, null],
    ['a 502 in HTML', 502, '<html><body>Bad Gateway</body></html>'],
  ])('%s does not cancel a meeting that is rescheduled', async (_name, status, body) => {
    const { id } = await schedule();
    await subgraph.simulator.addFault({ match: READS_EVENT, status, body });
    const times = inDays(5);
    expect(await reschedule(id, times)).toMatchObject({ userErrors: [], meeting: { status: 'SCHEDULED' } });
    await expectOneEvent(id);
    expect(instant((await calendar())[0]?.startsAt ?? '')).toBe(instant(times.startsAt));
  });

  it('a create that is answered in HTML is found when it is tried again', async () => {
    const body = '<html><body>OK</body></html>';
    await subgraph.simulator.addFault({ match: POSTS_EVENT, status: 201, body, after: true });
    const { id } = made(await ask());
    await retry(id);
    await expectOneEvent(id);
  });
});
