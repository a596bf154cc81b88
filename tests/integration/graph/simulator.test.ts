import { buffer, text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { Simulator } from '../../../simulator/server.ts';
import type { GraphClient, GraphEventDraft, GraphService } from '../../../src/graph/types.ts';
import { APP, CLIENT, DIRECTORY, draft, ORGANIZER, ROLES, useGraph } from './support.ts';

let simulator: Simulator;
let service: GraphService;
let client: GraphClient;

useGraph((parts) => {
  ({ simulator, service, client } = parts);
});

/** Creates an event and finds its online meeting. */
async function createMeeting(change: Partial<GraphEventDraft> = {}) {
  const event = await client.events.create(ORGANIZER, draft(change));
  const meeting = await client.onlineMeetings.findByJoinUrl(ORGANIZER, event.joinUrl ?? '');
  if (meeting === null) throw new Error('the new meeting was not found');
  return { event, meeting };
}

describe('signing in', () => {
  it('tells the granted roles, and new ones after forget', async () => {
    expect([...(await client.grantedRoles())].sort()).toEqual([...ROLES].sort());
    await simulator.control.updateApp(DIRECTORY, CLIENT, { roles: ['User.Read.All'] });
    expect((await client.grantedRoles()).size).toBe(ROLES.length);
    service.forget(APP);
    expect([...(await service.forApp(APP).grantedRoles())]).toEqual(['User.Read.All']);
  });

  it.each([
    [
      'a wrong secret',
      { credential: { kind: 'CLIENT_SECRET', clientSecret: 'wrong' } },
      'CREDENTIALS_REJECTED',
      'AADSTS7000215',
    ],
    ['an unknown app', { clientId: 'bbbbbbbb-0000-4000-8000-000000000009' }, 'APP_NOT_FOUND', 'AADSTS700016'],
    [
      'an unknown directory',
      { directoryId: '99999999-9999-4999-8999-999999999999' },
      'DIRECTORY_NOT_FOUND',
      'AADSTS90002',
    ],
  ] as const)('tells %s', async (_name, change, kind, innermostCode) => {
    await expect(service.forApp({ ...APP, ...change }).grantedRoles()).rejects.toMatchObject({ kind, innermostCode });
  });

  it('tells an expired secret', async () => {
    const secrets = [{ value: 'secret', expiresAt: '2020-01-01T00:00:00Z' }];
    await simulator.control.updateApp(DIRECTORY, CLIENT, { secrets });
    await expect(client.grantedRoles()).rejects.toMatchObject({
      kind: 'CREDENTIALS_REJECTED',
      innermostCode: 'AADSTS7000222',
    });
  });

  it('gets over an expired token with a new one', async () => {
    await client.users.get(ORGANIZER);
    await simulator.control.advanceClock(2 * 3_600_000);
    expect((await client.users.get(ORGANIZER)).id).toBe(ORGANIZER);
    expect(await simulator.control.requests({ host: 'entra' })).toHaveLength(2);
  });
});

describe('users and calendars', () => {
  it('finds a user by id and by name', async () => {
    const user = await client.users.get('scheduling@acme.example');
    expect(user).toMatchObject({ id: ORGANIZER, displayName: 'Scheduling', accountEnabled: true });
    expect(await client.users.get(ORGANIZER)).toEqual(user);
  });

  it('tells whether the calendar takes Teams meetings', async () => {
    expect((await client.events.defaultCalendar(ORGANIZER)).allowedOnlineMeetingProviders).toContain(
      'teamsForBusiness',
    );
    await simulator.control.updateUser(DIRECTORY, ORGANIZER, { teamsEnabled: false });
    expect((await client.events.defaultCalendar(ORGANIZER)).allowedOnlineMeetingProviders).not.toContain(
      'teamsForBusiness',
    );
  });

  it('tells an unknown user, with and without a mailbox in question', async () => {
    const nobody = 'cccccccc-0000-4000-8000-00000000000c';
    await expect(client.users.get(nobody)).rejects.toMatchObject({ kind: 'USER_NOT_FOUND' });
    await expect(client.events.defaultCalendar(nobody)).rejects.toMatchObject({ kind: 'USER_NOT_FOUND' });
  });

  it('tells a user without a mailbox', async () => {
    await simulator.control.updateUser(DIRECTORY, ORGANIZER, { hasMailbox: false });
    await expect(client.events.defaultCalendar(ORGANIZER)).rejects.toMatchObject({ kind: 'MAILBOX_UNAVAILABLE' });
  });

  it('tells a mailbox that Exchange does not let the app into', async () => {
    await simulator.control.updateUser(DIRECTORY, ORGANIZER, { exchangeScopeAppIds: [] });
    await expect(client.events.defaultCalendar(ORGANIZER)).rejects.toMatchObject({ kind: 'EXCHANGE_SCOPE_DENIED' });
  });

  it.each([
    ['users.get', (graph: GraphClient) => graph.users.get(ORGANIZER)],
    ['events.create', (graph: GraphClient) => graph.events.create(ORGANIZER, draft())],
    ['onlineMeetings.findByJoinUrl', (graph: GraphClient) => graph.onlineMeetings.findByJoinUrl(ORGANIZER, 'x')],
    ['recordings.list', (graph: GraphClient) => graph.recordings.list(ORGANIZER, 'MSo1')],
    ['transcripts.list', (graph: GraphClient) => graph.transcripts.list(ORGANIZER, 'MSo1')],
  ])('tells a missing role at %s', async (_name, call) => {
    await simulator.control.updateApp(DIRECTORY, CLIENT, { roles: [] });
    await expect(call(client)).rejects.toMatchObject({ kind: 'ROLE_MISSING', status: 403 });
  });
});

describe('events', () => {
  it('are created with a Teams meeting, read, changed and deleted', async () => {
    const created = await client.events.create(ORGANIZER, draft());
    expect(created).toMatchObject({ subject: 'Quarterly review', isOnlineMeeting: true, isCancelled: false });
    expect(created.startsAt).toEqual(new Date('2036-12-01T09:00:00Z'));
    expect(created.joinUrl).toMatch(/^https:/);
    expect(created.attendees.map((attendee) => attendee.emailAddress)).toContain('ann@client.example');

    const changed = await client.events.update(ORGANIZER, created.id, {
      subject: 'Review, moved',
      startsAt: new Date('2036-12-02T09:00:00Z'),
      endsAt: new Date('2036-12-02T10:00:00Z'),
    });
    expect(changed).toMatchObject({ id: created.id, subject: 'Review, moved', joinUrl: created.joinUrl });

    const read = await client.events.get(ORGANIZER, created.id, { includeBody: true });
    expect(read.startsAt).toEqual(new Date('2036-12-02T09:00:00Z'));
    expect(read.bodyHtml).toContain('Agenda');
    expect(read.joinUrl).toBe(created.joinUrl);

    await client.events.delete(ORGANIZER, created.id);
    await client.events.delete(ORGANIZER, created.id);
    await expect(client.events.get(ORGANIZER, created.id)).rejects.toMatchObject({ kind: 'NOT_FOUND' });
    expect((await simulator.control.sentMail()).map((mail) => mail.kind)).toEqual([
      'invitation',
      'update',
      'cancellation',
    ]);
  });

  it('keep their immutable id when they are moved to another folder', async () => {
    const created = await client.events.create(ORGANIZER, draft());
    const [stored] = await simulator.control.listEvents(DIRECTORY, ORGANIZER);
    expect(created.id).toBe(stored?.immutableId);
    await simulator.control.moveEvent(DIRECTORY, ORGANIZER, stored?.id ?? '');
    expect((await client.events.get(ORGANIZER, created.id)).id).toBe(created.id);
  });

  it('are made once when the answer is lost', async () => {
    await simulator.control.addFault({ match: { method: 'POST', path: '/events' }, status: 504, after: true });
    const created = await client.events.create(ORGANIZER, draft());
    const events = await simulator.control.listEvents(DIRECTORY, ORGANIZER);
    expect(events.map((event) => event.immutableId)).toEqual([created.id]);
  });

  it('are made once when the connection is cut', async () => {
    await simulator.control.addFault({ match: { method: 'POST', path: '/events' }, cut: 'after' });
    await client.events.create(ORGANIZER, draft());
    expect(await simulator.control.listEvents(DIRECTORY, ORGANIZER)).toHaveLength(1);
  });

  it('tell the first event when another one is asked for with its transaction id', async () => {
    const created = await client.events.create(ORGANIZER, draft());
    const again = client.events.create(ORGANIZER, draft({ subject: 'Something else' }));
    const failure = await again.catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: 'DUPLICATE_TRANSACTION' });
    expect(failure).toMatchObject({ existingEventId: expect.any(String) });
    const { existingEventId } = failure as { existingEventId: string };
    expect((await client.events.get(ORGANIZER, existingEventId)).subject).toBe(created.subject);
  });

  it('get their link on a later read', async () => {
    await simulator.control.updateUser(DIRECTORY, ORGANIZER, { joinUrlDelayGets: 2 });
    expect((await client.events.create(ORGANIZER, draft())).joinUrl).toMatch(/^https:/);
  });

  it('come without a link where Teams is not allowed', async () => {
    await simulator.control.updateUser(DIRECTORY, ORGANIZER, { teamsEnabled: false });
    const event = await client.events.create(ORGANIZER, draft());
    expect(event).toMatchObject({ isOnlineMeeting: false, joinUrl: null });
  });

  it('survive a throttled mailbox', async () => {
    await simulator.control.addFault({ match: { path: '/events' }, status: 429, times: 2 });
    expect((await client.events.create(ORGANIZER, draft())).joinUrl).not.toBeNull();
  });

  it('never take more than four calls to the mailbox at once', async () => {
    const created = await client.events.create(ORGANIZER, draft());
    await simulator.control.addFault({ match: { method: 'GET', path: '/events/' }, delayMs: 20, times: 30 });
    await Promise.all(Array.from({ length: 30 }, () => client.events.get(ORGANIZER, created.id)));
    const [mailbox] = await simulator.control.concurrency();
    expect(mailbox?.max).toBe(4);
    expect(await simulator.control.requests({ method: 'GET', path: '/events/' })).toHaveLength(30);
  });
});

describe('online meetings', () => {
  it.each(['classic', 'short'] as const)('are found by their %s link and read by id', async (joinUrlFormat) => {
    await simulator.control.updateUser(DIRECTORY, ORGANIZER, { joinUrlFormat });
    const { event, meeting } = await createMeeting();
    expect(meeting.joinWebUrl).toBe(event.joinUrl);
    expect(await client.onlineMeetings.get(ORGANIZER, meeting.id)).toEqual(meeting);
  });

  it.each(['empty', 'notFound'] as const)('are null when the link is unknown (%s)', async (answer) => {
    await simulator.control.setJoinUrlMiss(answer);
    const link = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_O'Neil%40thread.v2/0";
    expect(await client.onlineMeetings.findByJoinUrl(ORGANIZER, link)).toBeNull();
  });

  it('tell a missing policy', async () => {
    await simulator.control.updateUser(DIRECTORY, ORGANIZER, { teamsPolicyAppIds: [] });
    await expect(client.onlineMeetings.findByJoinUrl(ORGANIZER, 'https://x.example')).rejects.toMatchObject({
      kind: 'TEAMS_POLICY_MISSING',
    });
  });
});

describe('recordings and transcripts', () => {
  it('are listed over pages, the first one empty', async () => {
    const { meeting } = await createMeeting();
    const made = await simulator.control.meetingTookPlace({
      directoryId: DIRECTORY,
      meetingId: meeting.id,
      recordings: 3,
      transcripts: 2,
    });
    await simulator.control.setPaging({ pageSize: 1, emptyPageFirst: true });
    const recordings = await client.recordings.list(ORGANIZER, meeting.id);
    const transcripts = await client.transcripts.list(ORGANIZER, meeting.id);
    expect(recordings.map(({ id }) => id).sort()).toEqual(made.recordings.map(({ id }) => id).sort());
    expect(transcripts.map(({ id }) => id).sort()).toEqual(made.transcripts.map(({ id }) => id).sort());
    expect(recordings[0]).toMatchObject({ meetingId: meeting.id, callId: made.callId });
    expect(recordings[0]?.createdAt).toBeInstanceOf(Date);
  });

  it('are an empty list before the meeting', async () => {
    const { meeting } = await createMeeting();
    expect(await client.recordings.list(ORGANIZER, meeting.id)).toEqual([]);
    expect(await client.transcripts.list(ORGANIZER, meeting.id)).toEqual([]);
  });

  async function recorded(minRecordingBytes: number) {
    const { meeting } = await createMeeting();
    const made = await simulator.control.meetingTookPlace({
      directoryId: DIRECTORY,
      meetingId: meeting.id,
      minRecordingBytes,
    });
    return { meeting, recording: made.recordings[0]?.id ?? '', transcript: made.transcripts[0]?.id ?? '' };
  }

  it.each(['range', 'plain', 'redirect'] as const)('stream the same bytes in mode %s', async (mode) => {
    const { meeting, recording } = await recorded(300_000);
    await simulator.control.setContentMode(mode);
    const content = await client.recordings.openContent(ORGANIZER, meeting.id, recording);
    expect(content).toMatchObject({ offset: 0, contentType: 'video/mp4' });
    const bytes = await buffer(content.body);
    expect(bytes.length).toBeGreaterThanOrEqual(300_000);
    expect(Buffer.from(bytes.subarray(4, 8)).toString('latin1')).toBe('ftyp');
    const elsewhere = await simulator.control.requests({ host: 'media' });
    expect(elsewhere).toHaveLength(mode === 'redirect' ? 1 : 0);
    for (const request of elsewhere) expect(request.headers.authorization).toBeUndefined();
  });

  it('stream a range', async () => {
    const { meeting, recording } = await recorded(100_000);
    await simulator.control.setContentMode('range');
    const content = await client.recordings.openContent(ORGANIZER, meeting.id, recording, { range: 'bytes=4-7' });
    expect(content).toMatchObject({ offset: 4, contentLength: 4, size: expect.any(Number), acceptsRanges: true });
    expect(await text(content.body)).toBe('ftyp');
  });

  it('fail with NETWORK when the stream is cut', async () => {
    const { meeting, recording } = await recorded(300_000);
    await simulator.control.addFault({ match: { path: '/content' }, cutAfterBytes: 50_000 });
    const content = await client.recordings.openContent(ORGANIZER, meeting.id, recording);
    await expect(buffer(content.body)).rejects.toMatchObject({ kind: 'NETWORK' });
  });

  it('stop at once when the caller aborts', async () => {
    const { meeting, recording } = await recorded(300_000);
    await simulator.control.addFault({ match: { path: '/content' }, chunkDelayMs: 50 });
    const controller = new AbortController();
    const options = { signal: controller.signal };
    const content = await client.recordings.openContent(ORGANIZER, meeting.id, recording, options);
    const reader = content.body[Symbol.asyncIterator]();
    await reader.next();
    controller.abort();
    await expect(reader.next()).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('give the transcript with its speakers', async () => {
    const { meeting, transcript } = await recorded(0);
    const content = await client.transcripts.content(ORGANIZER, meeting.id, transcript);
    expect(content.isSpeakerAttributed).toBe(true);
    expect(new TextDecoder().decode(content.vtt)).toMatch(/^WEBVTT/);
    expect(new TextDecoder().decode(content.vtt)).toContain('<v ');
  });

  it('give the transcript without speakers where the directory forbids them', async () => {
    const { meeting, transcript } = await recorded(0);
    await simulator.control.updateDirectory(DIRECTORY, { attributedTranscripts: false });
    const content = await client.transcripts.content(ORGANIZER, meeting.id, transcript);
    expect(content.isSpeakerAttributed).toBe(false);
    expect(new TextDecoder().decode(content.vtt)).not.toContain('<v ');
    expect(new TextDecoder().decode(content.vtt)).toContain('-->');
  });

  it('tell that transcripts are switched off', async () => {
    const { meeting, transcript } = await recorded(0);
    await simulator.control.updateDirectory(DIRECTORY, { graphTranscriptAccess: false });
    await expect(client.transcripts.content(ORGANIZER, meeting.id, transcript)).rejects.toMatchObject({
      kind: 'TRANSCRIPT_ACCESS_DISABLED',
    });
    expect(await client.recordings.list(ORGANIZER, meeting.id)).toHaveLength(1);
  });

  it('tell a missing policy', async () => {
    const { meeting, transcript } = await recorded(0);
    await simulator.control.updateUser(DIRECTORY, ORGANIZER, { teamsPolicyAppIds: [] });
    await expect(client.transcripts.content(ORGANIZER, meeting.id, transcript)).rejects.toMatchObject({
      kind: 'TEAMS_POLICY_MISSING',
    });
  });

  it('tell a recording that is gone', async () => {
    const { meeting, recording } = await recorded(0);
    await simulator.control.deleteArtifact(DIRECTORY, recording);
    await expect(client.recordings.openContent(ORGANIZER, meeting.id, recording)).rejects.toMatchObject({
      kind: 'NOT_FOUND',
    });
  });
});
