import { readFileSync } from 'node:fs';
import { type GraphQLSchema, getOperationAST, getVariableValues, Kind, parse, validate } from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import { readyOperations } from '../../../explorer/operations.ts';
import { developmentHelp } from '../../../src/cli/development-help.ts';
import { buildSchema } from '../../../src/server/apollo.ts';

const NOW = new Date('2026-11-30T23:30:00Z');
const DEMO = {
  clientId: 'aaaaaaaa-0000-4000-8000-000000000001',
  directoryId: '11111111-1111-4111-8111-111111111111',
  clientSecret: 'a-secret',
  organizer: 'scheduling@acme.example',
  appointmentId: 'appt-a-1',
  clientOfMeeting: 'client-acme',
  attendee: 'jane@acme.example',
};

let schema: GraphQLSchema;
beforeAll(() => {
  schema = buildSchema(readFileSync('schema.graphql', 'utf8'));
});

describe('the operations that the explorer opens with', () => {
  it('follow the runbook: connect, save, verify, diagnose, create, refresh, search', () => {
    const names = readyOperations(null, NOW).map(({ query }) => {
      const [first] = parse(query).definitions;
      return first?.kind === Kind.OPERATION_DEFINITION ? first.name?.value : undefined;
    });
    expect(names).toEqual(['Connect', 'Save', 'Verify', 'Diagnose', 'Create', 'Refresh', 'Search']);
  });

  it.each([
    ['of a demo tenant', DEMO],
    ['that say what belongs there', null],
  ])('are good as they are, with variables %s', (_, demo) => {
    for (const { query, variables } of readyOperations(demo, NOW)) {
      const document = parse(query);
      expect(validate(schema, document)).toEqual([]);
      const [first] = document.definitions;
      const name = first?.kind === Kind.OPERATION_DEFINITION ? first.name?.value : undefined;
      const operation = getOperationAST(document, name);
      const { errors } = getVariableValues(
        schema,
        operation?.variableDefinitions ?? [],
        variables === '' ? {} : JSON.parse(variables),
      );
      expect(errors).toBeUndefined();
    }
  });

  it('put the demo meeting tomorrow, also over the end of a month', () => {
    const create = readyOperations(DEMO, NOW).find(({ query }) => query.includes('mutation Create('));
    expect(JSON.parse(create?.variables ?? '')).toMatchObject({
      input: { startsAt: '2026-12-01T09:00:00.000Z', endsAt: '2026-12-01T10:00:00.000Z' },
    });
  });

  it('hold nothing of the simulator where there is no demo tenant', async () => {
    const { demo } = await developmentHelp();
    const text = JSON.stringify(readyOperations(null, NOW));
    for (const value of Object.values(demo)) expect(text).not.toContain(value);
  });
});
