import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CANCELLED, newSecret, RESCHEDULED, signed, withData } from '../integration/psa-events/support.ts';
import { MICROSOFT, type TestTenant } from '../support/setup.ts';
import { attempts } from './attempts.ts';
import { expectNothingOf, type Stage, setTheStage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await setTheStage({ isCallable: true });
  // Makes the subscriptions at Microsoft, whose notifications are forged below.
  await stage.subgraph.runJobs();
});
afterAll(() => stage.subgraph.close());

async function post(
  path: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const response = await fetch(`${stage.subgraph.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  return { status: response.status, text: await response.text() };
}

const PSA = '/webhooks/psa';
const PATHS = ['/webhooks/graph/notifications', '/webhooks/graph/lifecycle'];

describe('an event that pretends to be of the PSA', () => {
  const forged = attempts('a forged event of the PSA');
  const EVENT = () => JSON.stringify(withData(CANCELLED, { appointmentId: stage.a.appointmentId }));
  const MINUTES = 60_000;
  const good = (over: Parameters<typeof signed>[2] = {}) => signed(stage.psaSecret, EVENT(), over);
  const signature = (headers: Record<string, string>) => headers['webhook-signature'] ?? '';
  const ways: [string, () => { headers?: Record<string, string>; body?: string }][] = [
    ['no headers', () => ({ headers: {} })],
    ['another secret', () => ({ headers: signed(newSecret(), EVENT()) })],
    ['a time-stamp six minutes old', () => ({ headers: good({ at: new Date(Date.now() - 6 * MINUTES) }) })],
    ['a time-stamp six minutes ahead', () => ({ headers: good({ at: new Date(Date.now() + 6 * MINUTES) }) })],
    ['another time-stamp than was signed', () => ({ headers: { ...good(), 'webhook-timestamp': String(Date.now()) } })],
    ['a time-stamp that is no number', () => ({ headers: { ...good(), 'webhook-timestamp': 'NaN' } })],
    ['another id than was signed', () => ({ headers: { ...good(), 'webhook-id': 'msg_other' } })],
    ['another body than was signed', () => ({ body: EVENT().replace('tenant-a', 'tenant-b') })],
    ['a space more than was signed', () => ({ body: `${EVENT()} ` })],
    ['no body', () => ({ body: '' })],
    ['an empty signature', () => ({ headers: { ...good(), 'webhook-signature': '' } })],
    ['the scheme alone', () => ({ headers: { ...good(), 'webhook-signature': 'v1,' } })],
    ['another version', () => ({ headers: { ...good(), 'webhook-signature': signature(good()).replace('v1', 'v2') } })],
    ['a signature cut short', () => ({ headers: { ...good(), 'webhook-signature': signature(good()).slice(0, -8) } })],
    ['half a thousand signatures', () => ({ headers: { ...good(), 'webhook-signature': 'v1,AAAA '.repeat(500) } })],
    ['the secret as signature', () => ({ headers: { ...good(), 'webhook-signature': `v1,${stage.psaSecret}` } })],
    ['the good signature of another event', () => ({ body: JSON.stringify(RESCHEDULED) })],
  ];
  for (const [what, make] of ways)
    forged(`with ${what} changes nothing`, async () => {
      const { headers = good(), body = EVENT() } = make();
      const { status, text } = await stage.withoutEffect(() => post(PSA, body, headers));
      expect(status).toBe(401);
      expectNothingOf(stage.a, text);
    });

  const hostile = attempts('a hostile event that is signed');
  const bodies: [string, string][] = [
    ['no JSON', '{'],
    ['null', 'null'],
    ['a list', '[]'],
    ['ten thousand lists in each other', '['.repeat(10_000)],
    [
      'a tenant of prototypes',
      '{"type":"appointment.cancelled","timestamp":"2026-11-03T09:00:00Z","data":{"__proto__":{"tenantId":"tenant-a"},"appointmentId":"x"}}',
    ],
    ['a list of tenants', JSON.stringify(withData(CANCELLED, { tenantId: ['tenant-a'] }))],
    ['a NUL in an id', JSON.stringify(withData(CANCELLED, { appointmentId: 'x\0' }))],
    [
      'half a character in an id',
      '{"type":"appointment.cancelled","timestamp":"2026-11-03T09:00:00Z","data":{"tenantId":"tenant-a","appointmentId":"\\ud800"}}',
    ],
    ['an empty tenant', JSON.stringify(withData(CANCELLED, { tenantId: '' }))],
    ['an id of 60,000 characters', JSON.stringify(withData(CANCELLED, { appointmentId: 'x'.repeat(60_000) }))],
    ['a year beyond the calendar', JSON.stringify(withData(RESCHEDULED, { startsAt: '+99999-01-01T00:00:00Z' }))],
  ];
  for (const [what, body] of bodies)
    hostile(`of ${what} is refused`, async () => {
      const { status } = await stage.withoutEffect(() => post(PSA, body, signed(stage.psaSecret, body)));
      expect(status).toBe(400);
    });
  hostile('beyond the limit of a body is refused', async () => {
    const body = JSON.stringify(withData(CANCELLED, { comment: 'x'.repeat(70_000) }));
    expect((await stage.withoutEffect(() => post(PSA, body, signed(stage.psaSecret, body)))).status).toBe(413);
  });
  hostile('of another content type is refused', async () => {
    const headers = { ...good(), 'content-type': 'text/plain' };
    expect((await stage.withoutEffect(() => post(PSA, EVENT(), headers))).status).toBe(415);
  });
  hostile('that is sent again has no second effect', async () => {
    const headers = signed(stage.psaSecret, EVENT(), { id: 'msg_replayed' });
    expect((await post(PSA, EVENT(), headers)).text).toBe('{"status":"stored"}');
    stage.wasChanged();
    const { text } = await stage.withoutEffect(() => post(PSA, EVENT(), headers));
    expect(text).toBe('{"status":"duplicate"}');
  });
  hostile('signed twice over different bodies under one id has the first effect only', async () => {
    const at = new Date();
    const other = JSON.stringify(withData(CANCELLED, { appointmentId: 'another' }));
    const both = [EVENT(), other].map((body) => new Webhook(stage.psaSecret).sign('msg_replayed', at, body)).join(' ');
    const headers = { ...signed(stage.psaSecret, other, { id: 'msg_replayed', at }), 'webhook-signature': both };
    expect((await stage.withoutEffect(() => post(PSA, other, headers))).text).toBe('{"status":"duplicate"}');
  });
});

interface Subscribed {
  id: string;
  clientState: string;
}

async function subscriptionOf(tenant: TestTenant): Promise<Subscribed> {
  const subscriptions = await stage.subgraph.simulator.listSubscriptions(MICROSOFT[tenant].directoryId);
  const found = subscriptions.find(({ resource }) => resource.endsWith('getAllRecordings'));
  return { id: found?.id ?? '', clientState: found?.clientState ?? '' };
}

async function item(over: object = {}): Promise<Record<string, unknown>> {
  const { directoryId, organizerId } = MICROSOFT['tenant-a'];
  const { id, clientState } = await subscriptionOf('tenant-a');
  return {
    ...{ subscriptionId: id, clientState, tenantId: directoryId, changeType: 'created' },
    resource: `users('${organizerId}')/onlineMeetings('MSo1')/recordings('r1')`,
    lifecycleEvent: 'subscriptionRemoved',
    ...over,
  };
}

describe.each(PATHS)('a notification at %s that pretends to be of Microsoft', (path) => {
  const forged = attempts('a forged notification of Microsoft');
  const half = (state: string) => state.split('.');
  const ways: [string, (of: { a: Subscribed; b: Subscribed }) => object][] = [
    ['no clientState', () => ({ clientState: undefined })],
    ['null for clientState', () => ({ clientState: null })],
    ['an empty clientState', () => ({ clientState: '' })],
    ['a number for clientState', () => ({ clientState: 1 })],
    ['a list with the clientState', ({ a }) => ({ clientState: [a.clientState] })],
    ['the clientState of another tenant', ({ b }) => ({ clientState: b.clientState })],
    [
      'the tenant of the victim and the signature of another',
      ({ a, b }) => ({ clientState: [half(a.clientState)[0], ...half(b.clientState).slice(1)].join('.') }),
    ],
    [
      'a nonce of another',
      ({ a, b }) => ({
        clientState: [half(a.clientState)[0], half(b.clientState)[1], half(a.clientState)[2]].join('.'),
      }),
    ],
    ['a clientState cut short', ({ a }) => ({ clientState: a.clientState.slice(0, -1) })],
    ['a clientState with something behind it', ({ a }) => ({ clientState: `${a.clientState}A` })],
    ['a clientState in upper case', ({ a }) => ({ clientState: a.clientState.toUpperCase() })],
    [
      'a clientState without a signature',
      ({ a }) => ({ clientState: `${half(a.clientState).slice(0, 2).join('.')}.` }),
    ],
    ['a clientState of a kibibyte', () => ({ clientState: 'A'.repeat(1_024) })],
    ['another subscription', ({ b }) => ({ subscriptionId: b.id })],
    ['a subscription that is not there', () => ({ subscriptionId: '00000000-0000-4000-8000-000000000000' })],
    ['a list of subscriptions', ({ a }) => ({ subscriptionId: [a.id] })],
    ['another directory', () => ({ tenantId: MICROSOFT['tenant-b'].directoryId })],
    ['no directory', () => ({ tenantId: undefined })],
    ['SQL for a directory', () => ({ tenantId: "'; DROP TABLE graph_subscriptions; --" })],
  ];
  for (const [what, over] of ways)
    forged(`with ${what} is dropped`, async () => {
      const of = { a: await subscriptionOf('tenant-a'), b: await subscriptionOf('tenant-b') };
      const body = JSON.stringify({ value: [await item(over(of))] });
      expect(await stage.withoutEffect(() => post(path, body))).toEqual({ status: 202, text: '' });
    });

  const bodies = attempts('a body that is no delivery of Microsoft');
  const refused: [string, string, number][] = [
    ['nothing', '', 400],
    ['no JSON', '{"value":[', 400],
    ['null', 'null', 400],
    ['a list', '[]', 400],
    ['an empty delivery', '{"value":[]}', 400],
    ['an object for a list', '{"value":{"0":{},"length":1}}', 400],
    ['a hundred thousand lists in each other', '['.repeat(100_000), 400],
    ['two thousand items', JSON.stringify({ value: Array.from({ length: 2_000 }, () => ({})) }), 413],
    ['more than two mebibytes', `{"value":["${'x'.repeat(2_200_000)}"]}`, 413],
  ];
  for (const [what, body, expected] of refused)
    bodies(`that is ${what} is refused`, async () => {
      expect((await stage.withoutEffect(() => post(path, body))).status).toBe(expected);
    });
  for (const [what, value] of [
    ['of prototype keys', '[{"__proto__":{"clientState":"x"},"constructor":{"prototype":{}}}]'],
    ['of nulls, numbers and texts', '[null,1,"x",[],true]'],
  ] as const)
    bodies(`that is a delivery ${what} is dropped`, async () => {
      expect((await stage.withoutEffect(() => post(path, `{"value":${value}}`))).status).toBe(202);
      expect(({} as { clientState?: string }).clientState).toBeUndefined();
    });

  const shaken = attempts('a handshake that is to be shown by a browser');
  for (const token of ['<script>alert(1)</script>', '\r\nset-cookie: a=b\r\n\r\n<html>', '\0', '\u2028', '%0d%0a'])
    shaken(`${JSON.stringify(token)} comes back as plain text and as nothing else`, async () => {
      const response = await stage.withoutEffect(() =>
        fetch(`${stage.subgraph.url}${path}?validationToken=${encodeURIComponent(token)}`, { method: 'POST' }),
      );
      expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response.headers.get('set-cookie')).toBeNull();
      expect(await response.text()).toBe(token);
    });
});

// Last, because it changes what is there: what is forged above would do something.
it('a notification that is as Microsoft sends it is stored', async () => {
  expect((await post('/webhooks/graph/notifications', JSON.stringify({ value: [await item()] }))).status).toBe(202);
  expect(await stage.subgraph.database.query('SELECT artifact_id FROM graph_notifications')).toEqual([
    { artifact_id: 'r1' },
  ]);
});
