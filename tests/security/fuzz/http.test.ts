import { createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import type { JWTPayload } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PERMISSIONS } from '../../../src/services/viewer.ts';
import { signed } from '../../integration/psa-events/support.ts';
import { MICROSOFT } from '../../support/setup.ts';
import { type Asked, askedOf, schemaOf } from '../operations.ts';
import { expectNothingOf, type Stage, setTheStage, tokenOfA } from '../stage.ts';
import { fuzz, json, text, withBoundedMemory } from './runs.ts';
import { cases } from './variables.ts';

const LONG = 600_000;
const key = randomBytes(32);
let stage: Stage;
let asked: Map<string, Asked>;
let schema: Awaited<ReturnType<typeof schemaOf>>;

beforeAll(async () => {
  stage = await setTheStage({ isCallable: true, linkSigningKeys: [{ id: 'k1', bytes: key }] });
  await stage.subgraph.runJobs();
  schema = await schemaOf(stage.subgraph.url);
  asked = new Map(askedOf(schema).map((one) => [one.name, one]));
});
afterEach(async () => {
  expect((await fetch(`${stage.subgraph.url}/health/ready`)).status).toBe(200);
});
afterAll(() => stage.subgraph.close());

/** What the test itself keeps of a case does not count as what is left behind. */
async function bounded(work: () => Promise<void>): Promise<void> {
  await withBoundedMemory(async () => {
    await work();
    stage.subgraph.logs.length = 0;
    await stage.subgraph.simulator.clearRequests();
  });
}

async function send(path: string, init: RequestInit): Promise<{ status: number; text: string }> {
  const response = await fetch(`${stage.subgraph.url}${path}`, init);
  return { status: response.status, text: await response.text() };
}

function ask(token: string, query: string, variables: unknown = {}): Promise<{ status: number; text: string }> {
  return send('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
}

describe('whatever is sent', () => {
  it('as variables, nothing is a defect', { timeout: LONG }, () =>
    bounded(async () => {
      const admin = await tokenOfA(stage);
      // Connecting and verifying ask Microsoft, so a tenant is asked for that has nothing there.
      const stranger = await stage.subgraph.tokens.token('admin', { tenant_id: 'tenant-c' });
      await fuzz(
        'variables',
        fc.asyncProperty(cases(schema, stage.a), async ({ field, variables }) => {
          const token = /connect|verify|Settings/.test(field) ? stranger : admin;
          const answer = await ask(token, asked.get(field)?.operation ?? '', variables);
          expect(answer.status).toBeLessThan(500);
          expect(answer.text).not.toContain('INTERNAL_SERVER_ERROR');
        }),
      );
    }),
  );

  it('as a token, nobody is let in', { timeout: LONG }, () =>
    bounded(async () => {
      const good = await tokenOfA(stage);
      const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const part = fc.oneof(fc.base64String(), text, json.map(base64));
      // The last character of base64url has spare bits: the same signature may be written in several ways.
      const changed = fc
        .tuple(fc.nat(good.length - 2), fc.constantFrom('A', 'B', '.', '-', '=', ''))
        .map(([at, by]) => `${good.slice(0, at)}${by}${good.slice(at + 1)}`)
        .filter((token) => token !== good);
      const unsigned = fc.tuple(part, part, part).map((parts) => parts.join('.'));
      const claims = fc.record(
        {
          sub: fc.oneof(text, json),
          tenant_id: fc.oneof(text, json),
          kind: fc.oneof(fc.constantFrom('msp', 'client', 'service'), json),
          permissions: fc.oneof(fc.subarray([...PERMISSIONS]), json),
          client_id: json,
        },
        { requiredKeys: [], noNullPrototype: true },
      );
      // Signed with the good key: a PSA that writes nonsense into its tokens.
      const nonsense = claims.map((one) => () => stage.subgraph.tokens.sign(one as JWTPayload));
      const written = fc.oneof(changed, unsigned, text).map((token) => async () => token.replace(/[^\x21-\x7e]/g, ''));
      await fuzz(
        'tokens',
        fc.asyncProperty(fc.oneof({ weight: 3, arbitrary: written }, nonsense), async (make) => {
          const { status, text: answer } = await ask(
            await make(),
            '{ teamsMeetings { edges { node { id subject } } } }',
          );
          expect(status).toBeLessThan(500);
          expect(answer).not.toContain('INTERNAL_SERVER_ERROR');
          expectNothingOf(stage.a, answer);
        }),
      );
    }),
  );

  it('as a link, nothing is opened', { timeout: LONG }, () =>
    bounded(async () => {
      const mac = (signedText: string) => createHmac('sha256', key).update(signedText).digest('base64url');
      const claims = fc.oneof(
        json,
        fc.record({
          purpose: fc.constant('transcript'),
          tenantId: text,
          resourceId: text,
          viewer: json,
          expiresAt: json,
        }),
      );
      const own = claims.map((value) => {
        const signedText = `k1.${Buffer.from(JSON.stringify(value)).toString('base64url')}`;
        return `${signedText}.${mac(signedText)}`;
      });
      const token = fc.oneof(
        own,
        text,
        fc.tuple(text, fc.base64String(), fc.base64String()).map((parts) => parts.join('.')),
      );
      const id = fc.oneof(text, fc.constantFrom(stage.a.transcriptId, stage.a.recordingId, stage.a.meetingId));
      const path = fc.constantFrom(
        ...[(one: string) => `/recordings/${one}`, (one: string) => `/transcripts/${one}.vtt`],
        ...[(one: string) => `/transcripts/${one}.txt`, (one: string) => `/invitations/${one}.ics`],
      );
      // Half a character has no escape.
      const escaped = (one: string) => encodeURIComponent(one.toWellFormed());
      await fuzz(
        'links',
        fc.asyncProperty(path, id, token, fc.string(), async (make, one, given, range) => {
          const address = `${make(escaped(one))}?token=${escaped(given)}`.slice(0, 8_000);
          const { status } = await send(address, { headers: { range: `bytes=${range.replace(/[^\x21-\x7e]/g, '')}` } });
          expect(status).toBeGreaterThanOrEqual(400);
          expect(status).toBeLessThan(500);
        }),
      );
    }),
  );

  it('as an event of the PSA, it is stored or refused', { timeout: LONG }, () =>
    bounded(async () => {
      const type = fc.constantFrom(
        'appointment.rescheduled',
        'appointment.cancelled',
        'interaction.updated',
        'interaction.deleted',
      );
      const value = fc.oneof(text, json);
      const data = fc.record(
        {
          tenantId: value,
          appointmentId: value,
          interactionId: value,
          startsAt: value,
          endsAt: value,
          subject: value,
          comment: value,
        },
        { requiredKeys: ['tenantId'], noNullPrototype: true },
      );
      const event = fc.oneof(
        json,
        fc.record({ type, timestamp: fc.constantFrom('2026-11-03T09:00:00Z', 'x'), data: fc.oneof(data, json) }),
      );
      await fuzz(
        'psa',
        fc.asyncProperty(event, async (one) => {
          const body = JSON.stringify(one);
          const { status } = await send('/webhooks/psa', {
            method: 'POST',
            headers: signed(stage.psaSecret, body),
            body,
          });
          expect([202, 400]).toContain(status);
        }),
      );
    }),
  );

  it('as a notification of Microsoft, it is taken or refused', { timeout: LONG }, () =>
    bounded(async () => {
      const { directoryId, organizerId } = MICROSOFT['tenant-a'];
      const [subscription] = await stage.subgraph.simulator.listSubscriptions(directoryId);
      const resource = fc
        .tuple(text, text)
        .map(([meeting, artifact]) => `users('${organizerId}')/onlineMeetings('${meeting}')/recordings('${artifact}')`);
      const item = fc.record(
        {
          subscriptionId: fc.oneof({ weight: 3, arbitrary: fc.constant(subscription?.id) }, json),
          clientState: fc.oneof({ weight: 3, arbitrary: fc.constant(subscription?.clientState) }, json),
          tenantId: fc.oneof({ weight: 3, arbitrary: fc.constant(directoryId) }, json),
          resource: fc.oneof(resource, text, json),
          resourceData: json,
          lifecycleEvent: fc.oneof(fc.constantFrom('missed', 'subscriptionRemoved', 'reauthorizationRequired'), json),
        },
        { noNullPrototype: true },
      );
      const body = fc.oneof(
        { weight: 5, arbitrary: fc.record({ value: fc.array(fc.oneof(item, json), { maxLength: 4 }) }) },
        json,
      );
      await fuzz(
        'notifications',
        fc.asyncProperty(fc.constantFrom('notifications', 'lifecycle'), body, async (path, one) => {
          const { status } = await send(`/webhooks/graph/${path}`, { method: 'POST', body: JSON.stringify(one) });
          expect([202, 400]).toContain(status);
        }),
      );
    }),
  );
});
