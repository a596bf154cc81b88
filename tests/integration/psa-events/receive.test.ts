import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DatabaseUnavailableError } from '../../../src/services/scope.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import {
  CANCELLED,
  newEventId,
  newSecret,
  post,
  RESCHEDULED,
  send,
  signed,
  storedEvents,
  withData,
} from './support.ts';

const SECRET = newSecret();
const OLD_SECRET = newSecret();

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await startTestSubgraph({ psaWebhookSecrets: [SECRET, OLD_SECRET] });
});
afterAll(() => subgraph.close());
beforeEach(async () => {
  await subgraph.database.query('DELETE FROM psa_events');
  await subgraph.database.query('DELETE FROM graphile_worker._private_jobs');
});

function waitingJobs(): Promise<{ task_identifier: string }[]> {
  return subgraph.database.query('SELECT task_identifier FROM graphile_worker.jobs');
}

async function expectNothingStored(): Promise<void> {
  expect(await storedEvents(subgraph)).toEqual([]);
  expect(await waitingJobs()).toEqual([]);
}

describe('an event that the PSA signed', () => {
  it.each([
    ['appointment.rescheduled', 'appointmentId', true],
    ['appointment.cancelled', 'appointmentId', false],
    ['appointment.deleted', 'appointmentId', false],
    ['interaction.updated', 'interactionId', true],
    ['interaction.deleted', 'interactionId', false],
  ])('%s is stored with its job and answered with 202', async (type, field, hasTimes) => {
    const times = {
      startsAt: '2036-12-02T12:00:00+02:00',
      endsAt: '2036-12-02T11:30:00Z',
      subject: ' Budget\nreview ',
    };
    const data = { tenantId: 'tenant-a', [field]: 'x-1', ...(hasTimes ? times : { comment: 'Ill' }) };
    expect(await send(subgraph, SECRET, { type, timestamp: '2026-11-03T10:00:00.5+01:00', data }, 'evt-1')).toEqual({
      status: 202,
      body: { status: 'stored' },
    });
    const expected = hasTimes
      ? { startsAt: '2036-12-02T10:00:00.000Z', endsAt: '2036-12-02T11:30:00.000Z', subject: 'Budget review' }
      : { comment: 'Ill' };
    expect(await storedEvents(subgraph)).toMatchObject([
      {
        tenant_id: 'tenant-a',
        id: 'evt-1',
        type,
        subject_id: 'x-1',
        data: { tenantId: 'tenant-a', [field]: 'x-1', ...expected },
        occurred_at: new Date('2026-11-03T09:00:00.500Z'),
        applied_at: null,
        outcome: null,
      },
    ]);
    expect(await waitingJobs()).toEqual([{ task_identifier: 'apply_psa_event' }]);
  });

  it('has no second effect when it is repeated, whether at once or later, and whatever it carries then', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => send(subgraph, SECRET, RESCHEDULED, 'evt-2')));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    expect(answers.map(({ body }) => body.status).sort()).toEqual(['duplicate', 'duplicate', 'duplicate', 'stored']);
    expect(await send(subgraph, SECRET, CANCELLED, 'evt-2')).toEqual({ status: 202, body: { status: 'duplicate' } });
    expect(await storedEvents(subgraph)).toMatchObject([{ id: 'evt-2', type: 'appointment.rescheduled' }]);
    expect(await waitingJobs()).toHaveLength(1);
  });

  it('may be signed with any of the secrets, and with several at once', async () => {
    expect((await send(subgraph, OLD_SECRET, CANCELLED)).status).toBe(202);
    const body = JSON.stringify(CANCELLED);
    const id = newEventId();
    const [one, two] = [newSecret(), SECRET].map((secret) => signed(secret, body, { id })['webhook-signature']);
    const headers = { ...signed(SECRET, body, { id }), 'webhook-signature': `v1a,AAAA ${one} ${two}` };
    expect((await post(subgraph, body, headers)).body).toEqual({ status: 'stored' });
  });

  it('of a type that is not known is answered with 202 and ignored, whatever else it holds', async () => {
    for (const type of ['invoice.paid', 'constructor', '__proto__', 'toString', ''])
      expect(await send(subgraph, SECRET, { type, data: null })).toEqual({ status: 202, body: { status: 'ignored' } });
    await expectNothingStored();
  });

  it('belongs to its tenant alone, under ids that only look alike', async () => {
    for (const tenantId of ['tenant-a', 'tenant-b', "o'hara:1", 't'.repeat(255)])
      expect((await send(subgraph, SECRET, withData(CANCELLED, { tenantId }), `${'i'.repeat(254)}:`)).status).toBe(202);
    expect(await storedEvents(subgraph)).toHaveLength(4);
    expect(await waitingJobs()).toHaveLength(4);
  });

  it('leaves out what is not known, and is not moved by the names of prototypes', async () => {
    const body = `{"__proto__":{"type":"x"},"type":"appointment.cancelled","timestamp":"2026-11-03T09:00:00Z","constructor":1,
      "data":{"__proto__":{"tenantId":"tenant-b"},"tenantId":"tenant-a","appointmentId":"__proto__","comment":null,"note":"\\u0000"}}`;
    expect((await post(subgraph, body, signed(SECRET, body))).status).toBe(202);
    expect(await storedEvents(subgraph)).toMatchObject([
      { tenant_id: 'tenant-a', subject_id: '__proto__', data: { tenantId: 'tenant-a', appointmentId: '__proto__' } },
    ]);
    expect(({} as { tenantId?: string }).tenantId).toBeUndefined();
  });

  it('is sent again when the database was away', async () => {
    const away = await startTestSubgraph({
      psaWebhookSecrets: [SECRET],
      replace: () => ({ receivePsaEvent: () => Promise.reject(new DatabaseUnavailableError('away')) }),
    });
    try {
      const { status, body } = await send(away, SECRET, CANCELLED);
      expect([status, body.error]).toEqual([503, 'The event cannot be stored at the moment: send it again.']);
    } finally {
      await away.close();
    }
  });
});

describe('an event that nobody signed so', () => {
  const body = JSON.stringify(RESCHEDULED);
  const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);

  it.each<[string, () => Record<string, string>, string?]>([
    ['without a signature', () => ({ 'content-type': 'application/json' })],
    ['signed with another secret', () => signed(newSecret(), body)],
    ['signed six minutes ago', () => signed(SECRET, body, { at: minutesAgo(6) })],
    ['signed six minutes from now', () => signed(SECRET, body, { at: minutesAgo(-6) })],
    [
      'signed long ago, with a new time-stamp',
      () => ({
        ...signed(SECRET, body, { at: minutesAgo(60) }),
        'webhook-timestamp': `${Math.floor(Date.now() / 1000)}`,
      }),
    ],
    ['with a time-stamp that is none', () => ({ ...signed(SECRET, body), 'webhook-timestamp': 'now' })],
    ['under another id', () => ({ ...signed(SECRET, body), 'webhook-id': newEventId() })],
    ['with an empty signature', () => ({ ...signed(SECRET, body), 'webhook-signature': '' })],
    ['with the version of the signature alone', () => ({ ...signed(SECRET, body), 'webhook-signature': 'v1' })],
    [
      'with a signature of another version',
      () => {
        const headers = signed(SECRET, body);
        return { ...headers, 'webhook-signature': (headers['webhook-signature'] ?? '').replace('v1,', 'v2,') };
      },
    ],
    [
      'with a signature that is cut short',
      () => {
        const headers = signed(SECRET, body);
        return { ...headers, 'webhook-signature': (headers['webhook-signature'] ?? '').slice(0, -4) };
      },
    ],
    ['changed by a byte', () => signed(SECRET, body), body.replace('10:00', '10:01')],
    ['with a space behind it', () => signed(SECRET, body), `${body} `],
    ['with another tenant put in', () => signed(SECRET, body), body.replace('tenant-a', 'tenant-b')],
    ['that is not even JSON', () => ({ 'content-type': 'application/json' }), '{"type":'],
    ['and has no body', () => signed(SECRET, body), ''],
  ])('%s is answered with 401', async (_case, headers, sent = body) => {
    const { status, body: answer } = await post(subgraph, sent, headers());
    expect(status).toBe(401);
    expect(answer.error).toMatch(/^[^.]+\.$/);
    await expectNothingStored();
  });

  it.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('lacks %s', async (name) => {
    const { [name]: _, ...headers } = signed(SECRET, body);
    expect((await post(subgraph, body, headers)).status).toBe(401);
  });

  it('cannot replace a character by bytes that only read as the same character', async () => {
    const replaced = JSON.stringify(withData(CANCELLED, { comment: '\ufffd' }));
    const bytes = new Uint8Array(Buffer.from(replaced.replace('\ufffd', '\x80'), 'latin1'));
    expect((await post(subgraph, bytes, signed(SECRET, replaced))).status).toBe(401);
    expect((await post(subgraph, replaced, signed(SECRET, replaced))).status).toBe(202);
  });

  it('is told apart before its content type and body are looked at', async () => {
    expect((await post(subgraph, 'x', { 'content-type': 'text/plain' })).status).toBe(401);
  });
});

describe('a signed body that is no event', () => {
  const at = (over: object) => withData(RESCHEDULED, over);
  it.each<[string, unknown, RegExp]>([
    ['a list', [], /JSON object/],
    ['null', null, /JSON object/],
    ['a text', 'secret-text', /JSON object/],
    ['no type', { data: {} }, /^type must be/],
    ['a type that is no text', { ...CANCELLED, type: ['appointment.cancelled'] }, /^type must be/],
    ['no timestamp', { ...CANCELLED, timestamp: undefined }, /^timestamp must be/],
    ['a timestamp without an offset', { ...CANCELLED, timestamp: '2026-11-03T09:00:00' }, /^timestamp must be/],
    ['a timestamp in a year that no database has', { ...CANCELLED, timestamp: '0000-01-01T00:00:00Z' }, /^timestamp/],
    ['no data', { ...CANCELLED, data: undefined }, /^data/],
    ['data that is a list', { ...CANCELLED, data: ['tenant-a'] }, /^data/],
    ['no tenant', at({ tenantId: undefined }), /^data\.tenantId must be/],
    ['an empty tenant', at({ tenantId: '' }), /^data\.tenantId must be/],
    ['a tenant with a NUL', at({ tenantId: 'secret\0' }), /^data\.tenantId must be/],
    ['half a character', at({ appointmentId: 'secret\ud800' }), /^data\.appointmentId must be/],
    ['an id of 256 characters', at({ appointmentId: 's'.repeat(256) }), /^data\.appointmentId must be/],
    ['an id that is a number', at({ appointmentId: 7 }), /^data\.appointmentId must be/],
    ['an id that is an object', at({ appointmentId: { not: null } }), /^data\.appointmentId must be/],
    ['the id of an interaction only', at({ appointmentId: undefined, interactionId: 'i-1' }), /^data\.appointmentId/],
    ['no start', at({ startsAt: undefined }), /^data\.startsAt must be/],
    ['a start that is a number', at({ startsAt: 2_111_911_200 }), /^data\.startsAt must be/],
    ['a day that does not exist', at({ startsAt: '2036-02-30T10:00:00Z' }), /^data\.startsAt must be/],
    ['a time without seconds', at({ startsAt: '2036-12-02T10:00Z' }), /^data\.startsAt must be/],
    ['an end before the start', at({ endsAt: '2036-12-02T09:59:59Z' }), /^data\.endsAt must be after/],
    ['an end at the start', at({ endsAt: '2036-12-02T11:00:00+01:00' }), /^data\.endsAt must be after/],
    ['a subject of 256 characters', at({ subject: 's'.repeat(256) }), /^data\.subject must be/],
    ['a comment that is no text', withData(CANCELLED, { comment: ['secret'] }), /^data\.comment must be/],
  ])('(%s) is answered with 400 and one sentence that repeats nothing', async (_case, event, reason) => {
    const { status, body } = await send(subgraph, SECRET, event);
    expect([status, body.error]).toEqual([400, expect.stringMatching(reason)]);
    expect(body.error).toMatch(/\.$/);
    expect(body.error).not.toMatch(/secret/);
    await expectNothingStored();
  });

  it.each(['', '{', '\ufeff{}', 'NaN', `${'['.repeat(50_000)}`])(
    '(not JSON, case %#) is answered with 400',
    async (sent) => {
      expect(await post(subgraph, sent, signed(SECRET, sent))).toEqual({
        status: 400,
        body: { error: 'The body is not JSON.' },
      });
    },
  );

  it('has an id that is no key', async () => {
    const body = JSON.stringify(CANCELLED);
    for (const id of ['i'.repeat(256), 'a b'])
      expect((await post(subgraph, body, signed(SECRET, body, { id }))).status).toBe(400);
    await expectNothingStored();
  });

  it('has another content type', async () => {
    const body = JSON.stringify(CANCELLED);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp'])
      expect((await post(subgraph, body, { ...signed(SECRET, body), 'content-type': type })).status).toBe(415);
    const { 'content-type': _, ...headers } = signed(SECRET, body);
    expect((await post(subgraph, new Uint8Array(Buffer.from(body)), headers)).status).toBe(415);
    await expectNothingStored();
    for (const type of ['application/json; charset=utf-8', 'Application/JSON', 'application/cloudevents+json'])
      expect((await post(subgraph, body, { ...signed(SECRET, body), 'content-type': type })).status).toBe(202);
  });

  it('is too large', async () => {
    const body = JSON.stringify(withData(CANCELLED, { note: 'x'.repeat(65_536) }));
    expect((await post(subgraph, body, signed(SECRET, body))).status).toBe(413);
    const within = JSON.stringify(withData(CANCELLED, { note: 'x'.repeat(60_000) }));
    expect((await post(subgraph, within, signed(SECRET, within))).status).toBe(202);
  });
});

describe('the route', () => {
  it('takes POST only, and leaves the bodies of other routes as they were', async () => {
    expect((await fetch(`${subgraph.url}/webhooks/psa`)).status).toBe(404);
    const { data } = await subgraph.send(await subgraph.tokens.token('admin'), '{ __typename }');
    expect(data).toEqual({ __typename: 'Query' });
  });

  it('says nothing of secrets, signatures and contents in the log', async () => {
    const body = JSON.stringify(withData(CANCELLED, { comment: 'confidential' }));
    const headers = signed(SECRET, body);
    await post(subgraph, body, headers);
    await post(subgraph, `${body} `, headers);
    const logs = JSON.stringify(subgraph.logs);
    expect(logs).toContain('operation=psa-event received');
    expect(logs).toContain('operation=psa-event refused');
    for (const secret of ['confidential', SECRET, headers['webhook-signature'] ?? '?'])
      expect(logs).not.toContain(secret);
  });

  it('does not exist without a secret', async () => {
    const closed = await startTestSubgraph();
    try {
      expect((await send(closed, SECRET, CANCELLED)).status).toBe(404);
    } finally {
      await closed.close();
    }
  });
});
