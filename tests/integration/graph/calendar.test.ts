import { describe, expect, it } from 'vitest';
import type { SimulatorControl } from '../../../simulator/control.ts';
import type { GraphClient } from '../../../src/graph/types.ts';
import { CLIENT, DIRECTORY, draft, ORGANIZER, useGraph } from './support.ts';

const MARKERS = { tenantId: 'tenant-1', meetingId: 'meeting-1' };
const DECEMBER = {
  from: new Date('2036-12-01T00:00:00Z'),
  until: new Date('2037-01-01T00:00:00Z'),
  deltaLink: null,
};

let control: SimulatorControl;
let client: GraphClient;

useGraph((parts) => {
  ({ client } = parts);
  ({ control } = parts.simulator);
});

let created = 0;
/** Creates an event that differs from all others. */
function create(change: Parameters<typeof draft>[0] = {}) {
  created += 1;
  return client.events.create(ORGANIZER, draft({ transactionId: `transaction-${created}`, ...change }));
}

function at(day: string): { startsAt: Date; endsAt: Date } {
  return { startsAt: new Date(`${day}T09:00:00Z`), endsAt: new Date(`${day}T10:00:00Z`) };
}

function ids(events: { id: string }[]): string[] {
  return events.map((event) => event.id);
}

describe('a marked event', () => {
  it('is found by its meeting when the answer of its create was lost for good', async () => {
    await control.addFault({ match: { method: 'POST', path: '/events' }, cut: 'after' });
    const lost = client.events.create(ORGANIZER, draft({ markers: MARKERS }), { maxTries: 1 });
    await expect(lost).rejects.toMatchObject({ kind: 'NETWORK', mayHaveWorked: true });
    const [found, ...others] = await client.events.findByMeeting(ORGANIZER, MARKERS);
    expect(others).toEqual([]);
    expect(found).toMatchObject({ transactionId: 'transaction-1', subject: 'Quarterly review', isOnlineMeeting: true });
    expect(found?.joinUrl).toMatch(/^https:/);
    expect(await control.listEvents(DIRECTORY, ORGANIZER)).toMatchObject([
      { immutableId: found?.id, extendedProperties: { TenantId: 'tenant-1', MeetingId: 'meeting-1' } },
    ]);
  });

  it('is not found by other meetings and tenants', async () => {
    await create({ markers: MARKERS });
    await create();
    for (const other of [{ tenantId: 'tenant-2' }, { meetingId: 'meeting-2' }, { tenantId: 'TENANT-1' }]) {
      expect(await client.events.findByMeeting(ORGANIZER, { ...MARKERS, ...other })).toEqual([]);
    }
  });

  it('is one of several when a create was repeated under another transaction id', async () => {
    const twins = [await create({ markers: MARKERS }), await create({ markers: MARKERS })];
    expect(ids(await client.events.findByMeeting(ORGANIZER, MARKERS)).sort()).toEqual(ids(twins).sort());
  });

  it.each(['served', 'refused'] as const)(
    'is listed by its tenant when the combined filter is %s',
    async (combined) => {
      await control.setMarkerFilter({ combined });
      await control.setPaging({ emptyPageFirst: true });
      const inside = await create({ markers: MARKERS, ...at('2036-12-01') });
      await create({ markers: { ...MARKERS, tenantId: 'tenant-2' }, ...at('2036-12-01') });
      await create({ markers: MARKERS, ...at('2036-11-30') });
      await create({ markers: MARKERS, ...at('2036-12-02') });
      await create(at('2036-12-01'));
      const range = { startsFrom: new Date('2036-12-01T00:00:00Z'), startsBefore: new Date('2036-12-02T00:00:00Z') };
      const marked = await client.events.listMarked(ORGANIZER, 'tenant-1', range);
      expect(marked).toMatchObject([{ event: { id: inside.id, subject: inside.subject }, meetingId: 'meeting-1' }]);
    },
  );

  it('keeps its markers over changes', async () => {
    const event = await create({ markers: MARKERS });
    await client.events.update(ORGANIZER, event.id, { subject: 'Changed', attendees: [] });
    expect(await client.events.findByMeeting(ORGANIZER, MARKERS)).toMatchObject([{ subject: 'Changed' }]);
  });

  it('is out of reach for an app that may only read the basics', async () => {
    await control.updateApp(DIRECTORY, CLIENT, { roles: ['Calendars.ReadBasic'] });
    await expect(client.events.findByMeeting(ORGANIZER, MARKERS)).rejects.toMatchObject({ kind: 'ROLE_MISSING' });
  });
});

describe('an update of a known version', () => {
  async function changedInOutlook() {
    const event = await create();
    await control.changeEvent({ directoryId: DIRECTORY, user: ORGANIZER, eventId: event.id, subject: 'By hand' });
    return event;
  }

  it('works as long as nobody else changes the event', async () => {
    const event = await create();
    const once = await client.events.update(ORGANIZER, event.id, { subject: 'One' }, { ifMatch: event.etag ?? '' });
    const twice = await client.events.update(ORGANIZER, event.id, { subject: 'Two' }, { ifMatch: once.etag ?? '' });
    expect(twice.subject).toBe('Two');
  });

  it('does not overwrite what a person changed', async () => {
    const event = await changedInOutlook();
    const late = client.events.update(ORGANIZER, event.id, { subject: 'Late' }, { ifMatch: event.etag ?? '' });
    await expect(late).rejects.toMatchObject({ kind: 'CHANGED', status: 412, mayHaveWorked: false });
    expect((await client.events.get(ORGANIZER, event.id)).subject).toBe('By hand');
  });

  it('works all the same where Exchange does not mind versions', async () => {
    await control.setIfMatch('ignored');
    const event = await changedInOutlook();
    const late = await client.events.update(ORGANIZER, event.id, { subject: 'Late' }, { ifMatch: event.etag ?? '' });
    expect(late.subject).toBe('Late');
  });

  it('tells that it may have been itself when its first answer was lost', async () => {
    const event = await create();
    await control.addFault({ match: { method: 'PATCH' }, status: 504, after: true });
    const update = client.events.update(ORGANIZER, event.id, { subject: 'Mine' }, { ifMatch: event.etag ?? '' });
    await expect(update).rejects.toMatchObject({ kind: 'CHANGED', mayHaveWorked: true });
    expect((await client.events.get(ORGANIZER, event.id)).subject).toBe('Mine');
  });
});

describe('cancel', () => {
  it('mails the comment and takes the event away, once', async () => {
    const event = await create();
    await control.addFault({ match: { method: 'POST', path: '/cancel' }, status: 504, after: true });
    await client.events.cancel(ORGANIZER, event.id, 'The engineer is ill.');
    await client.events.cancel(ORGANIZER, event.id, 'The engineer is ill.');
    expect(await control.listEvents(DIRECTORY, ORGANIZER)).toEqual([]);
    const cancellations = (await control.sentMail()).filter(({ kind }) => kind === 'cancellation');
    expect(cancellations).toMatchObject([{ to: 'ann@client.example', comment: 'The engineer is ill.' }]);
  });

  it('is refused for an event without attendees, which can be deleted', async () => {
    const event = await create({ attendees: [] });
    const cancel = client.events.cancel(ORGANIZER, event.id, null);
    await expect(cancel).rejects.toMatchObject({ kind: 'INVALID_REQUEST', code: 'ErrorInvalidRequest' });
    await client.events.delete(ORGANIZER, event.id);
    expect(await control.listEvents(DIRECTORY, ORGANIZER)).toEqual([]);
  });
});

describe('a create after its event is gone', () => {
  it.each(['untilDeleted', 'forever'] as const)('when transaction ids are remembered %s', async (memory) => {
    await control.setTransactionMemory(memory);
    const first = await client.events.create(ORGANIZER, draft());
    await client.events.delete(ORGANIZER, first.id);
    const again = client.events.create(ORGANIZER, draft());
    if (memory === 'untilDeleted') expect((await again).id).not.toBe(first.id);
    else await expect(again).rejects.toMatchObject({ kind: 'DUPLICATE_TRANSACTION', existingEventId: first.id });
  });
});

describe('changes of a calendar', () => {
  it('are followed from round to round, over pages of any size', async () => {
    await control.setPaging({ pageSize: 1, emptyPageFirst: true });
    const kept = await create(at('2036-12-01'));
    const gone = await create(at('2036-12-02'));
    const moved = await create(at('2036-12-03'));
    const first = await client.events.changes(ORGANIZER, DECEMBER);
    expect(first).toMatchObject({ removedIds: [], isFullRead: true });
    expect(ids(first.changed)).toEqual([kept.id, gone.id, moved.id]);
    expect(first.changed[0]).toEqual({ ...kept, bodyHtml: '' });

    await control.deleteEvent(DIRECTORY, ORGANIZER, gone.id);
    await control.changeEvent({
      directoryId: DIRECTORY,
      user: ORGANIZER,
      eventId: moved.id,
      startsAt: '2037-02-01T09:00:00Z',
      endsAt: '2037-02-01T10:00:00Z',
    });
    await control.respondToEvent(DIRECTORY, ORGANIZER, kept.id, 'ann@client.example', 'accepted');
    const second = await client.events.changes(ORGANIZER, { ...DECEMBER, deltaLink: first.deltaLink });
    expect(second).toMatchObject({
      changed: [{ id: kept.id, attendees: [{ response: 'accepted' }] }],
      isFullRead: false,
    });
    expect(second.changed[0]?.etag).not.toBe(kept.etag);
    // A removal is a hint only: one event is gone, the other is somewhere else.
    expect(second.removedIds).toEqual([gone.id, moved.id]);
    await expect(client.events.get(ORGANIZER, gone.id)).rejects.toMatchObject({ kind: 'NOT_FOUND' });
    expect((await client.events.get(ORGANIZER, moved.id)).startsAt).toEqual(new Date('2037-02-01T09:00:00Z'));

    const third = await client.events.changes(ORGANIZER, { ...DECEMBER, deltaLink: second.deltaLink });
    expect(third).toMatchObject({ changed: [], removedIds: [], isFullRead: false });
  });

  it('are read afresh when Microsoft has forgotten where we were', async () => {
    const event = await create();
    const { deltaLink } = await client.events.changes(ORGANIZER, DECEMBER);
    await control.expireDeltaTokens();
    const afresh = await client.events.changes(ORGANIZER, { ...DECEMBER, deltaLink });
    expect(afresh).toMatchObject({ changed: [{ id: event.id }], isFullRead: true });
    const next = await client.events.changes(ORGANIZER, { ...DECEMBER, deltaLink: afresh.deltaLink });
    expect(next).toMatchObject({ changed: [], isFullRead: false });
  });

  it('keep an event’s id when it is moved to another folder', async () => {
    const event = await create();
    const { deltaLink } = await client.events.changes(ORGANIZER, DECEMBER);
    await control.moveEvent(DIRECTORY, ORGANIZER, event.id);
    const changes = await client.events.changes(ORGANIZER, { ...DECEMBER, deltaLink });
    expect([ids(changes.changed), changes.removedIds]).toEqual([[event.id], []]);
  });

  it('fail with the user when the user is deleted', async () => {
    const { deltaLink } = await client.events.changes(ORGANIZER, DECEMBER);
    await control.deleteUser(DIRECTORY, ORGANIZER);
    const changes = client.events.changes(ORGANIZER, { ...DECEMBER, deltaLink });
    await expect(changes).rejects.toMatchObject({ kind: 'USER_NOT_FOUND', code: 'ErrorInvalidUser' });
    const user = client.users.get(ORGANIZER);
    await expect(user).rejects.toMatchObject({ kind: 'USER_NOT_FOUND', code: 'Request_ResourceNotFound' });
  });

  it('get through a Microsoft that fails now and then, without losing any', async () => {
    await control.seedFaults({ seed: 3 });
    await control.addFault({ match: { path: '/users/' }, probability: 0.2, times: null, status: 503 });
    await control.addFault({ match: { path: '/users/' }, probability: 0.1, times: null, status: 504, after: true });
    const patient = { maxTries: 20 };
    const made: string[] = [];
    for (let day = 10; day < 20; day += 1) {
      const wanted = draft({ transactionId: `day-${day}`, ...at(`2036-12-${day}`) });
      made.push((await client.events.create(ORGANIZER, wanted, patient)).id);
    }
    await control.setPaging({ pageSize: 2 });
    const { changed } = await client.events.changes(ORGANIZER, DECEMBER, patient);
    expect(ids(changed)).toEqual(made);
    expect(await control.listEvents(DIRECTORY, ORGANIZER)).toHaveLength(10);
  });
});
