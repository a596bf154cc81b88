import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { activate, type UserErrorAnswer } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { ACME, mendMicrosoft, ROLES, WITHOUT_WAITS } from './support.ts';

const VERIFICATION = 'outcome ranAt checks { name status detail remedy durationMs graphRequestId }';
const VERIFY = `mutation { verifyTeamsOrganizer { verification { ${VERIFICATION} } userErrors { code message path remedy } } }`;
const READ = `{ teamsSettings { lastVerification { ${VERIFICATION} } } teamsSetupGuide { steps { number title script status } } }`;

interface Check {
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

interface VerifyAnswer {
  verification: Verification | null;
  userErrors: UserErrorAnswer[];
}

interface ReadAnswer {
  teamsSettings: { lastVerification: Verification | null } | null;
  teamsSetupGuide: { steps: { number: number; title: string; script: string | null; status: string }[] };
}

export let subgraph: TestSubgraph;
let admin: string;

/** Runs the mutation, as the tenant's admin unless told otherwise. */
export async function verify(token = admin): Promise<VerifyAnswer> {
  const { data, errors } = await subgraph.send<{ verifyTeamsOrganizer: VerifyAnswer }>(token, VERIFY);
  if (errors.length > 0 || !data) throw new Error(JSON.stringify(errors, null, 2));
  return data.verifyTeamsOrganizer;
}

/** The same, where something must have been verified. */
export async function verified(): Promise<Verification> {
  const { verification, userErrors } = await verify();
  expect(userErrors).toEqual([]);
  if (verification === null) throw new Error('nothing was verified');
  return verification;
}

/** What the settings and the setup guide say of it. */
export async function read(token = admin): Promise<ReadAnswer> {
  const { data, errors } = await subgraph.send<ReadAnswer>(token, READ);
  if (errors.length > 0 || !data) throw new Error(JSON.stringify(errors, null, 2));
  return data;
}

/** What lies in the organizer's calendar. */
export const calendar = () => subgraph.simulator.listEvents(ACME.directoryId, ACME.organizer);

/** Changes the app registration at Microsoft, when called. */
export const breakApp = (change: Parameters<TestSubgraph['simulator']['updateApp']>[2]) => () =>
  subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, change);
/** Changes the organizer at Microsoft, when called. */
export const breakUser = (change: Parameters<TestSubgraph['simulator']['updateUser']>[2]) => () =>
  subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, change);
/** Takes one permission away, when called. */
export const without = (role: string) => breakApp({ roles: ROLES.filter((one) => one !== role) });

/** Starts a subgraph with an active tenant for the file, and gives each test a good Microsoft. */
export function useVerifying(): void {
  beforeAll(async () => {
    subgraph = await startTestSubgraph({ graph: WITHOUT_WAITS, isCallable: true });
    admin = await activate(subgraph);
  });
  afterEach(() => mendMicrosoft(subgraph));
  afterAll(() => subgraph.close());
}
