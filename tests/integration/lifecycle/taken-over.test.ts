import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { attendeeInputs, World } from './world.ts';

const WISH = { subject: 'Review', startsAt: '2036-12-01T10:00:00Z', endsAt: '2036-12-01T11:00:00Z' };
const REFUSED = { status: 403, body: { error: { code: 'ErrorAccessDenied', message: 'Access is denied.' } } };

let world: World;

beforeAll(async () => {
  world = await World.start();
});
beforeEach(() => world.begin());
afterAll(() => world.close());

it('a new wish for a meeting that failed uninvites those whom an unanswered create had invited', async () => {
  await world.addFault({ match: { method: 'POST', path: '/events$' }, status: 504, body: null, after: true });
  await world.addFault({ match: { method: 'GET', path: '/events\\?' }, ...REFUSED });
  const first = await world.ask('create', {
    ...WISH,
    attendees: attendeeInputs(['Jane@acme.example', 'joe@acme.example']),
  });
  expect(first).toMatchObject({ meeting: { status: 'FAILED' }, userErrors: [{ code: 'PERMISSION_MISSING' }] });
  const second = await world.ask('create', {
    ...WISH,
    attendees: attendeeInputs(['joe@acme.example', 'kim@globex.example']),
  });
  expect(second).toMatchObject({ meeting: { id: first?.meeting?.id, status: 'SCHEDULED' }, userErrors: [] });
  const [event, ...others] = await world.events();
  expect(others).toEqual([]);
  expect(event?.attendees.map(({ address }) => address)).toEqual(['joe@acme.example', 'kim@globex.example']);
});
