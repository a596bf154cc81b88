import { afterAll, beforeAll, expect } from 'vitest';
import { repairTenant } from '../../support/broken-tenants.ts';
import { activate, type UserErrorAnswer } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph, type TestSubgraphOptions } from '../../support/subgraph.ts';
import { WITHOUT_WAITS } from '../domain/support.ts';

const VERIFY = `mutation ($input: VerifyTeamsOrganizerInput) { verifyTeamsOrganizer(input: $input) {
  verification { outcome ranAt checks { name status detail remedy durationMs graphRequestId } }
  userErrors { code message path remedy } } }`;

export interface Check {
  name: string;
  status: string;
  detail: string;
  remedy: string | null;
  durationMs: number;
  graphRequestId: string | null;
}

export interface Verification {
  outcome: string;
  ranAt: string;
  checks: Check[];
}

export interface VerifyAnswer {
  verification: Verification | null;
  userErrors: UserErrorAnswer[];
}

export let subgraph: TestSubgraph;
export let admin: string;

export async function verify(
  input?: { outsideMailbox?: string },
  { token = admin, of = subgraph }: { token?: string; of?: TestSubgraph } = {},
): Promise<VerifyAnswer> {
  const { data, errors } = await of.send<{ verifyTeamsOrganizer: VerifyAnswer }>(token, VERIFY, { input });
  if (errors.length > 0 || !data) throw new Error(JSON.stringify(errors, null, 2));
  return data.verifyTeamsOrganizer;
}

/** The same, where something must have been verified. */
export async function verified(input?: { outsideMailbox?: string }): Promise<Verification> {
  const { verification, userErrors } = await verify(input);
  expect(userErrors).toEqual([]);
  if (verification === null) throw new Error('nothing was verified');
  return verification;
}

/** The names of the checks of one status, in their order. */
export const named = ({ checks }: Verification, status: string): string[] =>
  checks.filter((check) => check.status === status).map(({ name }) => name);

export function checkOf({ checks }: Verification, name: string): Check {
  const check = checks.find((one) => one.name === name);
  if (check === undefined) throw new Error(`no check ${name}`);
  return check;
}

/** A subgraph that Microsoft can call, with tenant-a active, for the whole file. */
export function useVerification(options: TestSubgraphOptions = {}): void {
  beforeAll(async () => {
    subgraph = await startTestSubgraph({ isCallable: true, ...options, graph: { ...WITHOUT_WAITS, ...options.graph } });
    admin = await activate(subgraph);
  });
  afterAll(() => subgraph.close());
}

export const mend = () => repairTenant(subgraph);
