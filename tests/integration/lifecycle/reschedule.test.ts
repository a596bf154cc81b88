import { describe, expect, it } from 'vitest';
import { succeed, UPDATE_SETTINGS } from '../../support/setup.ts';
import { ACME, ALWAYS, auditOf, branches } from '../domain/support.ts';
import {
  admin,
  CANCEL,
  change,
  inCalendar,
  LATER,
  made,
  RESCHEDULE,
  RETRY,
  seen,
  sent,
  subgraph,
  useChanging,
} from './changing.ts';

useChanging();

describe('a reschedule', () => {
  it('moves the same event, start and end together, and the join link stays', async () => {
    const meeting = await made();
    const { meeting: moved, userErrors } = await change(RESCHEDULE, meeting.id, LATER);
    expect(userErrors).toEqual([]);
    expect(moved).toMatchObject({ id: meeting.id, status: 'SCHEDULED', joinUrl: meeting.joinUrl, ...LATER });
    expect(await inCalendar(meeting.id)).toMatchObject({ ...LATER, joinUrl: meeting.joinUrl });
    const patches = await subgraph.simulator.requests({ method: 'PATCH' });
    expect(patches.map(({ body }) => Object.keys(body as object).sort())).toEqual([['end', 'start']]);
  });

  it('sends only the new subject when the times stay', async () => {
    const meeting = await made();
    const { startsAt, endsAt } = meeting;
    const { meeting: renamed } = await change(RESCHEDULE, meeting.id, { startsAt, endsAt, subject: 'New subject' });
    expect(renamed).toMatchObject({ subject: 'New subject', startsAt, endsAt, joinUrl: meeting.joinUrl });
    const patches = await subgraph.simulator.requests({ method: 'PATCH' });
    expect(patches.map(({ body }) => body)).toEqual([{ subject: 'New subject' }]);
  });

  it('keeps Teams’ join block in the body', async () => {
    const meeting = await made({ description: 'Agenda' });
    await change(RESCHEDULE, meeting.id, LATER);
    const [event] = await subgraph.simulator
      .listEvents(ACME.directoryId, ACME.organizer)
      .then((events) => events.filter(({ extendedProperties }) => extendedProperties.MeetingId === meeting.id));
    expect(event?.bodyHtml).toContain('Agenda');
    expect(event?.bodyHtml).toContain('Join the meeting now');
    expect(event?.isOnlineMeeting).toBe(true);
  });

  it('to what is there already sends nothing', async () => {
    const meeting = await made();
    const { startsAt, endsAt } = meeting;
    expect(await change(RESCHEDULE, meeting.id, { startsAt, endsAt })).toMatchObject({
      meeting: { id: meeting.id, joinUrl: meeting.joinUrl },
      userErrors: [],
    });
    expect(await sent()).toEqual([]);
  });

  it('goes to the organizer who made the meeting, also after another one was chosen', async () => {
    const meeting = await made();
    await subgraph.simulator.putUser({
      directoryId: ACME.directoryId,
      id: 'aaaaaaaa-0000-4000-8000-0000000000fe',
      userPrincipalName: 'other@acme.example',
      teamsPolicyAppIds: [ACME.clientId],
    });
    await succeed(subgraph, admin, UPDATE_SETTINGS, { organizerUserPrincipalName: 'other@acme.example' });
    try {
      const { meeting: moved } = await change(RESCHEDULE, meeting.id, LATER);
      expect(moved).toMatchObject({
        joinUrl: meeting.joinUrl,
        organizer: { userPrincipalName: ACME.organizer },
        failure: null,
      });
      expect(await inCalendar(meeting.id)).toMatchObject(LATER);
    } finally {
      await succeed(subgraph, admin, UPDATE_SETTINGS, { organizerUserPrincipalName: ACME.organizer });
    }
  });

  it.each<[string, object]>([
    ['504 after it was done', { status: 504, body: null, after: true }],
    ['cut after it was done', { cut: 'after' }],
    ['cut before', { cut: 'before' }],
    ['503', { status: 503 }],
    ['429', { status: 429, headers: { 'retry-after': '1' } }],
    ['changed in Outlook at the same moment', { status: 412, body: { error: { code: 'ErrorIrresolvableConflict' } } }],
  ])('survives one PATCH that ends with %s', async (_name, fault) => {
    const meeting = await made();
    await subgraph.simulator.addFault({ ...fault, match: { method: 'PATCH', path: '/events/' } });
    expect(await change(RESCHEDULE, meeting.id, LATER)).toMatchObject({ meeting: { failure: null }, userErrors: [] });
    expect(await inCalendar(meeting.id)).toMatchObject({ ...LATER, joinUrl: meeting.joinUrl });
  });

  it('while Microsoft is away is accepted, shown, and brought about by the job', async () => {
    const meeting = await made();
    await subgraph.simulator.addFault({ match: { path: '/events/' }, status: 503, times: ALWAYS });
    const { meeting: moved, userErrors } = await change(RESCHEDULE, meeting.id, LATER);
    expect(userErrors).toEqual([]);
    expect(moved).toMatchObject({
      status: 'SCHEDULED',
      joinUrl: meeting.joinUrl,
      ...LATER,
      failure: { code: 'GRAPH_UNAVAILABLE', willRetryAt: expect.any(String) },
    });
    await subgraph.simulator.clearFaults();
    await subgraph.runJobs({ early: true });
    expect(await seen(meeting.id)).toMatchObject({ ...LATER, failure: null });
    expect(await inCalendar(meeting.id)).toMatchObject(LATER);
  });

  it('that Exchange refuses for good is FAILED with the remedy; the link works on, and a retry mends it', async () => {
    const meeting = await made();
    await subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, { exchangeScopeAppIds: [] });
    const { meeting: failed, userErrors } = await change(RESCHEDULE, meeting.id, LATER);
    expect(branches(userErrors)).toEqual([{ code: 'MAILBOX_SCOPE_DENIED', path: null }]);
    expect(failed).toMatchObject({
      status: 'FAILED',
      joinUrl: meeting.joinUrl,
      failure: { remedy: expect.stringMatching(/RBAC/), willRetryAt: null },
    });
    await subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, { exchangeScopeAppIds: 'every' });
    expect(await change(RETRY, meeting.id)).toMatchObject({
      meeting: { status: 'SCHEDULED', failure: null, joinUrl: meeting.joinUrl, ...LATER },
      userErrors: [],
    });
    expect(await inCalendar(meeting.id)).toMatchObject(LATER);
  });

  it('tells when the join link has changed, and shows the one that works', async () => {
    const meeting = await made();
    await subgraph.database.query('UPDATE online_meetings SET join_url = $2 WHERE id = $1', [
      meeting.id,
      'https://teams.microsoft.com/meet/1?p=old',
    ]);
    const { meeting: moved } = await change(RESCHEDULE, meeting.id, LATER);
    expect(moved).toMatchObject({
      joinUrl: meeting.joinUrl,
      failure: { code: 'CONFLICT', message: expect.stringMatching(/join link/), remedy: expect.stringMatching(/Send/) },
    });
  });

  it('of a meeting that was deleted in Outlook cancels it, with the reason', async () => {
    const meeting = await made();
    const [event] = (await subgraph.simulator.listEvents(ACME.directoryId, ACME.organizer)).filter(
      ({ extendedProperties }) => extendedProperties.MeetingId === meeting.id,
    );
    await subgraph.simulator.deleteEvent(ACME.directoryId, ACME.organizer, event?.id ?? '');
    const { meeting: gone } = await change(RESCHEDULE, meeting.id, LATER);
    expect(gone).toMatchObject({
      status: 'CANCELLED',
      joinUrl: null,
      cancelReason: 'The event was deleted in Outlook.',
    });
  });

  it('is audited with who asked and how it ended', async () => {
    const meeting = await made();
    await change(RESCHEDULE, meeting.id, LATER);
    const entries = (await auditOf(subgraph, 'tenant-a', 'reschedule')).filter(
      ({ meeting_id }) => meeting_id === meeting.id,
    );
    expect(entries).toMatchObject([
      { actor: 'msp:user-admin', outcome: 'accepted', detail: { version: 2 } },
      { actor: 'msp:user-admin', outcome: 'success', detail: { version: 2 } },
    ]);
  });

  it.each<[string, object, string, string | null]>([
    ['an end before the start', { startsAt: LATER.endsAt, endsAt: LATER.startsAt }, 'INVALID_INPUT', 'input.endsAt'],
    ['an empty subject', { ...LATER, subject: ' \n ' }, 'INVALID_INPUT', 'input.subject'],
    ['an endless subject', { ...LATER, subject: 'x'.repeat(256) }, 'INVALID_INPUT', 'input.subject'],
  ])('with %s changes nothing and says so', async (_name, input, code, path) => {
    const meeting = await made();
    const answer = await change(RESCHEDULE, meeting.id, input);
    expect(branches(answer.userErrors)).toEqual([{ code, path }]);
    expect(await sent()).toEqual([]);
    expect(await seen(meeting.id)).toMatchObject({ startsAt: meeting.startsAt, subject: meeting.subject });
  });

  it('of a cancelled meeting is refused', async () => {
    const meeting = await made();
    await change(CANCEL, meeting.id);
    expect(branches((await change(RESCHEDULE, meeting.id, LATER)).userErrors)).toEqual([
      { code: 'MEETING_ALREADY_CANCELLED', path: 'input.meetingId' },
    ]);
  });

  it.each(['nobody', '01890000-0000-7000-8000-00000000ffff'])('of %s finds no meeting', async (id) => {
    expect(await change(RESCHEDULE, id, LATER)).toMatchObject({ meeting: null, userErrors: [{ code: 'NOT_FOUND' }] });
  });

  it('of another tenant’s meeting finds no meeting', async () => {
    const meeting = await made();
    const stranger = await subgraph.tokens.token('admin', { tenant_id: 'tenant-b' });
    for (const [operation, over] of [
      [RESCHEDULE, LATER],
      [CANCEL, {}],
      [RETRY, {}],
    ] as const) {
      const { data } = await subgraph.send<Record<string, object>>(stranger, operation, {
        input: { meetingId: meeting.id, ...over },
      });
      expect(Object.values(data ?? {})[0]).toMatchObject({ meeting: null, userErrors: [{ code: 'NOT_FOUND' }] });
    }
    expect(await seen(meeting.id)).toMatchObject({ status: 'SCHEDULED', startsAt: meeting.startsAt });
  });
});
