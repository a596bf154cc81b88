import { createHmac, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LinkPurpose } from '../../src/services/links/signed-links.ts';
import type { Viewer } from '../../src/services/viewer.ts';
import { reachable } from '../support/subgraph.ts';
import { attempts } from './attempts.ts';
import { NOBODYS } from './credentials.ts';
import { askRaw, statusOf } from './raw-http.ts';
import { expectNothingOf, type Stage, setTheStage, type Target } from './stage.ts';

const LINKS: Record<LinkPurpose, (target: Target) => string> = {
  recording: ({ recordingId }) => recordingId,
  transcript: ({ transcriptId }) => transcriptId,
  'transcript-text': ({ transcriptId }) => transcriptId,
  invitation: ({ meetingId }) => meetingId,
};
const PURPOSES = Object.keys(LINKS) as LinkPurpose[];

const key = randomBytes(32);
let stage: Stage;
beforeAll(async () => {
  stage = await setTheStage({ linkSigningKeys: [{ id: 'k1', bytes: key }] });
});
afterAll(() => stage.subgraph.close());

const base = { id: 'user-x', permissions: new Set(['teams_artifact:read', 'teams_meeting:read'] as const) };
const OWN: Viewer = { ...base, tenantId: 'tenant-a', kind: 'msp' };

/** A link that the server itself would make. */
function sign(viewer: Viewer, purpose: LinkPurpose, id: string): URL {
  return new URL(reachable(stage.subgraph, stage.subgraph.services.links.sign(viewer, purpose, id).url));
}

const linkOf = (purpose: LinkPurpose) => sign(OWN, purpose, LINKS[purpose](stage.a));

function claimsOf(purpose: LinkPurpose, over: object = {}): object {
  const viewer = { kind: 'msp', id: 'user-x' };
  const expiresAt = Math.floor(Date.now() / 1000) + 600;
  return { purpose, tenantId: 'tenant-a', resourceId: LINKS[purpose](stage.a), viewer, expiresAt, ...over };
}

/** A token as the server makes it, with any claims, under any key. */
function forge(claims: unknown, { bytes = key, id = 'k1' }: { bytes?: Buffer; id?: string } = {}): string {
  const text = typeof claims === 'string' ? claims : JSON.stringify(claims);
  const signed = `${id}.${Buffer.from(text).toString('base64url')}`;
  return `${signed}.${createHmac('sha256', bytes).update(signed).digest('base64url')}`;
}

async function expectNothing(purpose: LinkPurpose, address: string): Promise<void> {
  const answer = await stage.withoutEffect(() => askRaw(stage.subgraph.url, address));
  expect([purpose, statusOf(answer) === 403 || statusOf(answer) === 404]).toEqual([purpose, true]);
  expectNothingOf(stage.a, answer, address);
}

describe.each(PURPOSES)('the link of a %s', (purpose) => {
  const path = () => linkOf(purpose).pathname;

  const others = attempts('a signed link of somebody else');
  const viewers: [string, Viewer][] = [
    ['another tenant', { ...base, tenantId: 'tenant-b', kind: 'msp' }],
    ['another client', { ...base, tenantId: 'tenant-a', kind: 'client', clientId: 'client-no', contactId: undefined }],
    [
      'the client of the same name of another tenant',
      { ...base, tenantId: 'tenant-b', kind: 'client', clientId: 'client-acme', contactId: undefined },
    ],
    ['a tenant that is not there', { ...base, tenantId: "'; DROP TABLE online_meetings; --", kind: 'msp' }],
  ];
  for (const [who, viewer] of viewers)
    others(`made for ${who} opens nothing of the victim`, async () => {
      const { pathname, search } = sign(viewer, purpose, LINKS[purpose](stage.a));
      await expectNothing(purpose, `${pathname}${search}`);
    });

  const elsewhere = attempts('a signed link at another place');
  for (const other of PURPOSES.filter((one) => one !== purpose))
    elsewhere(`opens no ${other}`, async () => {
      await expectNothing(other, `${linkOf(other).pathname}${linkOf(purpose).search}`);
    });
  for (const [what, change] of [
    ['a path upwards', (id: string) => `../health/${id}`],
    ['an encoded path upwards', (id: string) => `..%2F..%2F${id}`],
    ['a NUL', (id: string) => `${id}%00`],
    ['a second slash', (id: string) => `/${id}`],
    ['upper case', (id: string) => id.toUpperCase()],
    ['an id of another meeting', () => stage.b.meetingId],
  ] as const)
    elsewhere(`opens nothing with ${what} in its path`, async () => {
      const { pathname, search } = linkOf(purpose);
      await expectNothing(purpose, `${pathname.replace(LINKS[purpose](stage.a), change)}${search}`);
    });

  const forged = attempts('a forged link');
  const tokens: [string, () => string][] = [
    ['another key', () => forge(claimsOf(purpose), { bytes: randomBytes(32) })],
    ['an empty key', () => forge(claimsOf(purpose), { bytes: Buffer.alloc(0) })],
    ['an unknown key id', () => forge(claimsOf(purpose), { id: 'k2' })],
    ['no key id', () => forge(claimsOf(purpose), { id: '' })],
    ['a key id of a prototype', () => forge(claimsOf(purpose), { id: '__proto__' })],
    ['an end in the past', () => forge(claimsOf(purpose, { expiresAt: 1 }))],
    ['no end', () => forge(claimsOf(purpose, { expiresAt: undefined }))],
    ['an end that is no number', () => forge(claimsOf(purpose, { expiresAt: 'never' }))],
    ['a client without a client', () => forge(claimsOf(purpose, { viewer: { kind: 'client', id: 'x' } }))],
    ['a kind of viewer that is not there', () => forge(claimsOf(purpose, { viewer: { kind: 'root', id: 'x' } }))],
    ['no viewer', () => forge(claimsOf(purpose, { viewer: undefined }))],
    ['a tenant that is no text', () => forge(claimsOf(purpose, { tenantId: { $ne: '' } }))],
    ['a text for claims', () => forge('"claims"')],
    ['null for claims', () => forge('null')],
    ['claims that are no JSON', () => forge('{')],
    ['an empty signature', () => forge(claimsOf(purpose)).replace(/[^.]*$/, '')],
    ['a signature cut short', () => forge(claimsOf(purpose)).slice(0, -4)],
    ['a signature in another alphabet', () => `${forge(claimsOf(purpose))}==`],
    ['changed claims', () => forge(claimsOf(purpose)).replace(/\.(.)/, (_all, c) => (c === 'A' ? '.B' : '.A'))],
    ['64 KiB of dots', () => '.'.repeat(8_000)],
  ];
  for (const [what, make] of tokens)
    forged(`opens nothing with ${what}`, async () => {
      await expectNothing(purpose, `${path()}?token=${encodeURIComponent(make())}`);
    });
  for (const [what, make] of NOBODYS)
    forged(`opens nothing with ${what} in the place of its own`, async () => {
      await expectNothing(purpose, `${path()}?token=${(await make(stage.subgraph.tokens)) ?? ''}`);
    });
  forged('opens nothing for a good bearer token', async () => {
    const authorization = `authorization: Bearer ${await stage.subgraph.tokens.token('admin')}`;
    const answer = await stage.withoutEffect(() => askRaw(stage.subgraph.url, path(), [authorization]));
    expect(statusOf(answer)).toBe(403);
  });
});

// Last, because a recording that is opened is measured: what nobody gets is there to be got.
it.each(PURPOSES)('the link of a %s opens what it is for', async (purpose) => {
  const { pathname, search } = linkOf(purpose);
  expect(statusOf(await askRaw(stage.subgraph.url, `${pathname}${search}`))).toBe(200);
});
