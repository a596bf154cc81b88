import { afterAll, beforeAll, expect, it } from 'vitest';
import { activate, CONNECT, succeed, UPDATE_SETTINGS } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { readCommands, readFilter } from '../../unit/services/power-shell-grammar.ts';
import { ACME, newTenant, WITHOUT_WAITS } from './support.ts';

const GUIDE = '{ teamsSetupGuide { steps { number title instructions script status } } }';

interface Step {
  number: number;
  title: string;
  instructions: string;
  script: string | null;
  status: string;
}

let subgraph: TestSubgraph;

async function guide(token: string): Promise<Step[]> {
  const { data, errors } = await subgraph.send<{ teamsSetupGuide: { steps: Step[] } }>(token, GUIDE);
  expect(errors).toEqual([]);
  return data?.teamsSetupGuide.steps ?? [];
}

const scriptsOf = (steps: Step[]) => steps.flatMap(({ script }) => (script === null ? [] : [readCommands(script)]));

beforeAll(async () => {
  subgraph = await startTestSubgraph({ graph: WITHOUT_WAITS });
});
afterAll(() => subgraph.close());

it('holds the tenant’s own values, the id of its enterprise application among them', async () => {
  const admin = await activate(subgraph);
  const steps = await guide(admin);
  const text = JSON.stringify(steps);
  expect(text).not.toMatch(/<[a-z]/);
  expect(text).toContain(`/${ACME.directoryId}/adminconsent?client_id=${ACME.clientId}`);
  const [principal] = await subgraph.database.query<{ id: string }>(
    "SELECT service_principal_id AS id FROM microsoft_apps WHERE tenant_id = 'tenant-a'",
  );
  expect(principal?.id).toMatch(/^[0-9a-f-]{36}$/);
  expect(text).toContain(`-ObjectId '${principal?.id}'`);
});

it.each([
  ["o'neil", "o'neil@acme.example"],
  ['typographic marks', 'o\u2019neil\u201d\u201c\u201e\u201b@acme.example'],
  ['a subexpression', '$(calc)$env:PATH@acme.example'],
  ['the end of every string', '\';calc;"`";calc;#@acme.example'],
])('keeps its commands with an organizer called by %s', async (name, userPrincipalName) => {
  const tame = scriptsOf(await guide(await activate(subgraph)));
  const { admin } = await newTenant(subgraph, `tenant-guide-${name}`);
  await subgraph.simulator.putUser({
    directoryId: ACME.directoryId,
    id: crypto.randomUUID(),
    userPrincipalName,
    displayName: '"; calc; "',
  });
  const { clientId, directoryId, secret: clientSecret } = ACME;
  await succeed(subgraph, admin, CONNECT, { clientId, directoryId, clientSecret });
  await succeed(subgraph, admin, UPDATE_SETTINGS, { organizerUserPrincipalName: userPrincipalName });

  const scripts = scriptsOf(await guide(admin));
  const names = (commands: typeof scripts) => commands.map((script) => script.map(([command]) => command?.value));
  expect(names(scripts)).toEqual(names(tame));
  const values = scripts.flat(2).map(({ value }) => value);
  expect(values).toContain(userPrincipalName);
  const filter = values.find((value) => value.startsWith('UserPrincipalName -eq'));
  expect(readFilter(filter ?? '').value).toBe(userPrincipalName);
});

it('is for whoever may read the settings, and nobody else', async () => {
  for (const role of ['technician', 'client', 'service'] as const) {
    const token = await subgraph.tokens.token(role, { tenant_id: 'tenant-a', client_id: 'client-acme' });
    const { data, errors } = await subgraph.send(token, GUIDE);
    expect(data?.teamsSetupGuide ?? null).toBeNull();
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
  }
});
