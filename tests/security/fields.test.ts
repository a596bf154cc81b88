import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PERMISSIONS } from '../../src/services/viewer.ts';
import { attempts } from './attempts.ts';
import { NOBODYS } from './credentials.ts';
import { type Asked, askedOf, ENTRIES, entryOf, schemaOf } from './operations.ts';
import { expectNothingOf, type Stage, setTheStage, tokenOfA, tokenOfB } from './stage.ts';

let stage: Stage;
let asked: Map<string, Asked>;

beforeAll(async () => {
  stage = await setTheStage();
  asked = new Map(askedOf(await schemaOf(stage.subgraph.url)).map((one) => [one.name, one]));
  // So that there is a report to be had.
  await ask('Mutation.runTeamsDiagnostics', await tokenOfA(stage));
});
afterAll(() => stage.subgraph.close());

interface Sent {
  status: number;
  data: unknown;
  codes: string[];
  /** Everything that was answered. */
  text: string;
  /** The variables, as text. */
  sent: string;
}

async function ask(name: string, token: string | null, over: Record<string, unknown> = {}): Promise<Sent> {
  const variables = { ...entryOf({ name }).variables(stage.a), ...over };
  const answer = await stage.subgraph.send(token, asked.get(name)?.operation ?? '', variables);
  const codes = [...new Set(answer.errors.map(({ extensions }) => extensions.code))];
  return {
    status: answer.status,
    data: answer.data,
    codes,
    text: JSON.stringify(answer),
    sent: JSON.stringify(variables),
  };
}

/** Every value at the ends of an answer, without the empty ones. */
function leavesOf(data: unknown): unknown[] {
  if (data === null || data === undefined) return [];
  return typeof data === 'object' ? Object.values(data).flatMap(leavesOf) : [data];
}

/** The answer says that it was refused, and nothing more than what was sent. */
function expectRefused({ status, data, codes, sent }: Sent, code: string, isGuarded: boolean): void {
  expect(status).toBeLessThan(500);
  expect(codes).toEqual(isGuarded ? [code] : []);
  expect(leavesOf(data).filter((leaf) => !sent.includes(JSON.stringify(leaf)))).toEqual([]);
}

it('everything that the schema lets anybody ask for is attacked', () => {
  expect([...asked.keys()].sort()).toEqual(Object.keys(ENTRIES).sort());
});

describe.each(Object.keys(ENTRIES))('%s', (name) => {
  const isGuarded = entryOf({ name }).permission !== null;
  const permission = entryOf({ name }).permission ?? '';

  const forged = attempts('a field with a token that is missing or forged');
  for (const [what, make] of NOBODYS)
    forged(`says nothing to ${what}`, async () => {
      const token = await make(stage.subgraph.tokens);
      expectRefused(await stage.withoutEffect(() => ask(name, token)), 'UNAUTHENTICATED', isGuarded);
    });

  const denied = attempts('a field without its permission');
  // Of an appointment some fields need the one permission and some the other: without both nothing is told.
  const others = PERMISSIONS.filter((one) =>
    /Appointment|Interaction/.test(name) ? !/:read$/.test(one) : one !== permission,
  );
  for (const [what, permissions] of [
    ['every other permission', others],
    ['no permission', []],
    [
      'permissions in another spelling',
      [permission.toUpperCase(), `${permission} `, '*', 'teams_*', `${permission}\0`],
    ],
  ] as const)
    denied(`says nothing to a token with ${what}`, async () => {
      const token = await tokenOfA(stage, permissions);
      expectRefused(await stage.withoutEffect(() => ask(name, token)), 'FORBIDDEN', isGuarded);
    });

  const elsewhere = attempts('a field with a good token of another tenant');
  for (const [what, over] of [
    ['as it is', {}],
    ['with the victim named in the variables', { tenantId: 'tenant-a', tenant_id: 'tenant-a' }],
  ] as const)
    elsewhere(`does and tells another tenant's administrator nothing of the victim, ${what}`, async () => {
      const token = await tokenOfB(stage);
      const { status, codes, text, sent } = await stage.withoutEffectOn('tenant-a', () => ask(name, token, over));
      expect(status).toBeLessThan(500);
      expect(codes).not.toContain('INTERNAL_SERVER_ERROR');
      expectNothingOf(stage.a, text, sent);
    });

  const portal = attempts('a field with a good token of another client');
  for (const [what, claims] of [
    ['another client of the same tenant', { tenant_id: 'tenant-a', client_id: 'client-initech' }],
    ['the client of the same name of another tenant', { tenant_id: 'tenant-b', client_id: 'client-acme' }],
    ['a client whose id is a pattern', { tenant_id: 'tenant-a', client_id: 'client-%' }],
  ] as const)
    portal(`does and tells ${what} nothing`, async () => {
      const token = await stage.subgraph.tokens.token('client', { ...claims, permissions: [...PERMISSIONS] });
      const { status, codes, text, sent } = await stage.withoutEffect(() => ask(name, token));
      expect(status).toBeLessThan(500);
      expect(codes).not.toContain('INTERNAL_SERVER_ERROR');
      expectNothingOf(stage.a, text, sent);
    });
});

// Last, because it changes what is there: what nobody gets is there to be got.
describe('to the one who may', () => {
  it.each(Object.keys(ENTRIES))('%s does what it is for', async (name) => {
    const { data, codes, text } = await ask(name, await tokenOfA(stage));
    expect(codes).toEqual([]);
    expect(leavesOf(data)).not.toEqual([]);
    expect(text).not.toMatch(/"userErrors":\[\{/);
  });
});
