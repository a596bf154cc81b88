import { describe, expect, it } from 'vitest';
import { DIRECTORY, ORGANIZER, OTHER, type Reply, useSimulator, type Wire } from './support.ts';

const sim = useSimulator();
const VIEW = `/users/${ORGANIZER}/calendarView`;
const JULY = 'startDateTime=2030-07-01T00:00:00Z&endDateTime=2030-08-01T00:00:00Z';
const IMMUTABLE = { prefer: 'IdType="ImmutableId"' };

function createAt(day: string, subject = day): Promise<Wire> {
  return sim.createEvent({
    subject,
    start: { dateTime: `${day}T09:00:00`, timeZone: 'UTC' },
    end: { dateTime: `${day}T10:00:00`, timeZone: 'UTC' },
  });
}

function subjects(answer: Reply): string[] {
  return answer.json.value.map((event) => event.subject);
}

/** What a round tells, and the link that begins the next one. */
async function round(path: string, headers: Record<string, string> = {}) {
  const told: Wire[] = [];
  let pages = 0;
  let next: string | undefined = path;
  let deltaLink = '';
  while (next !== undefined) {
    const answer: Reply = await sim.call('GET', next, { headers });
    expect(answer.status).toBe(200);
    told.push(...answer.json.value);
    pages += 1;
    next = answer.json['@odata.nextLink'];
    deltaLink = (answer.json as Wire & { '@odata.deltaLink'?: string })['@odata.deltaLink'] ?? '';
  }
  return { told, pages, deltaLink, words: told.map((one) => one.subject ?? `removed ${one.id}`) };
}

describe('calendarView', () => {
  it('shows what overlaps the window, by start', async () => {
    await createAt('2030-07-20', 'late');
    await createAt('2030-07-02', 'early');
    await createAt('2030-08-01', 'after');
    const touching = { dateTime: '2030-07-01T00:00:00', timeZone: 'UTC' };
    await sim.createEvent({
      subject: 'before',
      start: { ...touching, dateTime: '2030-06-30T23:00:00' },
      end: touching,
    });
    const { json } = await sim.call('GET', `${VIEW}?${JULY}&$select=subject`);
    expect(json.value.map(({ subject }) => subject)).toEqual(['early', 'late']);
    expect(json.value[0]).not.toHaveProperty('start');
    const upper = JULY.replaceAll('DateTime', 'DATETIME').replaceAll('00:00:00Z', '00:00:00.0000000');
    expect(subjects(await sim.call('GET', `/users/${ORGANIZER}/calendar/calendarView?${upper}`))).toHaveLength(2);
  });

  it('pages like other lists', async () => {
    for (const day of ['01', '02', '03']) await createAt(`2030-07-${day}`);
    const first = await sim.call('GET', `${VIEW}?${JULY}&$top=2`);
    const second = await sim.call('GET', first.json['@odata.nextLink'] ?? '');
    expect([subjects(first), subjects(second)]).toEqual([['2030-07-01', '2030-07-02'], ['2030-07-03']]);
  });

  it.each([
    '',
    'startDateTime=2030-07-01T00:00:00Z',
    'startDateTime=soon&endDateTime=later',
    'startDateTime=2030-07-02T00:00:00Z&endDateTime=2030-07-01T00:00:00Z',
  ])('is refused with the window “%s”, with delta too', async (query) => {
    for (const path of [VIEW, `${VIEW}/delta`]) {
      const answer = await sim.call('GET', `${path}?${query}`);
      expect([answer.status, answer.json.error.code]).toEqual([400, 'ErrorInvalidParameter']);
    }
  });

  it('needs a calendar role', async () => {
    const token = await sim.tokenWithRoles('User.Read.All');
    for (const path of [VIEW, `${VIEW}/delta`]) {
      expect((await sim.call('GET', `${path}?${JULY}`, { token })).json.error.code).toBe('ErrorAccessDenied');
    }
  });
});

describe('delta', () => {
  it('begins with everything in the window, then tells what changed', async () => {
    const kept = await createAt('2030-07-02', 'kept');
    const gone = await createAt('2030-07-03', 'gone');
    await createAt('2030-09-01', 'outside');
    const first = await round(`${VIEW}/delta?${JULY}`);
    expect(first.words).toEqual(['kept', 'gone']);
    expect(first.told[0]).toMatchObject({ id: kept.id, body: kept.body, onlineMeeting: kept.onlineMeeting });
    expect((await round(first.deltaLink)).told).toEqual([]);

    await sim.call('PATCH', `/users/${ORGANIZER}/events/${kept.id}`, { body: { subject: 'renamed' } });
    await sim.control.deleteEvent(DIRECTORY, ORGANIZER, gone.id);
    await createAt('2030-07-04', 'new');
    const second = await round(first.deltaLink);
    expect(second.words).toEqual(['renamed', `removed ${gone.id}`, 'new']);
    expect(second.told[1]).toEqual({ id: gone.id, '@removed': { reason: 'deleted' } });
    expect((await round(second.deltaLink)).told).toEqual([]);
    // A link may be used again: the round is then told again.
    expect((await round(first.deltaLink)).words).toEqual(second.words);
  });

  it('tells as removed whatever changed outside the window', async () => {
    const moved = await createAt('2030-07-02', 'moved');
    const { deltaLink } = await round(`${VIEW}/delta?${JULY}`);
    const startsAt = '2030-09-02T09:00:00Z';
    await sim.control.changeEvent({
      directoryId: DIRECTORY,
      user: ORGANIZER,
      eventId: moved.id,
      startsAt,
      endsAt: '2030-09-02T10:00:00Z',
    });
    const outside = await createAt('2030-09-01', 'outside');
    const second = await round(deltaLink);
    expect(second.words).toEqual([`removed ${moved.id}`, `removed ${outside.id}`]);
    await sim.control.changeEvent({
      directoryId: DIRECTORY,
      user: ORGANIZER,
      eventId: moved.id,
      startsAt: '2030-07-05T09:00:00Z',
      endsAt: '2030-07-05T10:00:00Z',
    });
    expect((await round(second.deltaLink)).words).toEqual(['moved']);
  });

  it('tells of an attendee’s answer and of a cancellation', async () => {
    const event = await createAt('2030-07-02', 'asked');
    const first = await round(`${VIEW}/delta?${JULY}`);
    await sim.control.respondToEvent(DIRECTORY, ORGANIZER, event.id, 'client@customer.example', 'declined');
    const second = await round(first.deltaLink);
    expect(second.told).toMatchObject([{ attendees: [{ status: { response: 'declined' } }] }]);
    await sim.call('POST', `/users/${ORGANIZER}/events/${event.id}/cancel`);
    expect((await round(second.deltaLink)).words).toEqual([`removed ${event.id}`]);
  });

  it('keeps immutable ids over a move to another folder, and changes the default ones', async () => {
    const { id } = await createAt('2030-07-02', 'moved');
    const byDefault = await round(`${VIEW}/delta?${JULY}`);
    const immutable = await round(`${VIEW}/delta?${JULY}`, IMMUTABLE);
    const newId = await sim.control.moveEvent(DIRECTORY, ORGANIZER, id);
    expect((await round(byDefault.deltaLink)).told).toMatchObject([{ id, '@removed': {} }, { id: newId }]);
    expect((await round(immutable.deltaLink, IMMUTABLE)).told).toMatchObject([{ id: immutable.told[0]?.id }]);
  });

  it('pages by the preferred size, and loses nothing to changes between the pages', async () => {
    const events: Wire[] = [];
    for (const day of ['01', '02', '03', '04']) events.push(await createAt(`2030-07-${day}`, day));
    const headers = { prefer: 'odata.maxpagesize=2, outlook.timezone="UTC"' };
    const first = await sim.call('GET', `${VIEW}/delta?${JULY}`, { headers });
    expect(subjects(first)).toEqual(['01', '02']);
    expect(first.headers.get('preference-applied')).toContain('odata.maxpagesize=2');
    await sim.control.deleteEvent(DIRECTORY, ORGANIZER, events[0]?.id ?? '');
    const change = { directoryId: DIRECTORY, user: ORGANIZER, eventId: events[3]?.id ?? '', subject: '04 changed' };
    await sim.control.changeEvent(change);
    const rest = await round(first.json['@odata.nextLink'] ?? '', headers);
    expect(rest.words).toEqual(['03']);
    expect((await round(rest.deltaLink, headers)).words).toEqual([`removed ${events[0]?.id}`, '04 changed']);
  });

  it('may begin with an empty page', async () => {
    await createAt('2030-07-01', 'a');
    await sim.control.setPaging({ pageSize: 1, emptyPageFirst: true });
    expect(await round(`${VIEW}/delta?${JULY}`)).toMatchObject({ words: ['a'], pages: 2 });
  });

  it.each(['$select=id', '$expand=extensions', "$filter=subject eq 'x'", '$orderby=start/dateTime', '$search="x"'])(
    'refuses %s',
    async (option) => {
      const answer = await sim.call('GET', `${VIEW}/delta?${JULY}&${option}`);
      expect([answer.status, answer.json.error.code]).toEqual([400, 'ErrorInvalidUrlQuery']);
    },
  );

  it('does not know tokens that are invented, expired, of another mailbox or of another time', async () => {
    const { deltaLink } = await round(`${VIEW}/delta?${JULY}`);
    const token = new URL(deltaLink).searchParams.get('$deltatoken');
    const codes = async (path: string, bearer?: string) => {
      const answer = await sim.call('GET', path, { token: bearer });
      return [answer.status, answer.json.error?.code];
    };
    const forgotten = [410, 'SyncStateNotFound'];
    expect(await codes(`${VIEW}/delta?$deltatoken=invented`)).toEqual(forgotten);
    expect(await codes(`${VIEW}/delta?$skiptoken=invented`)).toEqual(forgotten);
    const form = { client_id: OTHER.clientId, client_secret: OTHER.secret };
    const foreign = await sim.newToken(form, OTHER.directory);
    const foreignView = `/users/${OTHER.organizer}/calendarView/delta?$deltatoken=${token}`;
    expect(await codes(foreignView, foreign)).toEqual(forgotten);
    expect(await codes(deltaLink)).toEqual([200, undefined]);
    await sim.control.expireDeltaTokens();
    expect(await codes(deltaLink)).toEqual(forgotten);
    expect((await round(`${VIEW}/delta?${JULY}`)).told).toEqual([]);
  });
});
