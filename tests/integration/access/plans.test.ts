import { afterAll, beforeAll, expect, it } from 'vitest';
import { countStatements } from '../../support/statements.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';

let subgraph: TestSubgraph;

beforeAll(async () => {
  subgraph = await startTestSubgraph({ isExecutedOnce: true });
  await subgraph.database.query(
    `INSERT INTO online_meetings (tenant_id, id, appointment_id, interaction_id, status, subject, starts_at, ends_at, time_zone,
         organizer_upn, transaction_id, input_hash, created_by, created_at, updated_at)
       SELECT tenant, md5(tenant || n)::uuid, CASE n % 2 WHEN 0 THEN 'subject-' || n END, CASE n % 2 WHEN 1 THEN 'subject-' || n END,
              'SCHEDULED', 'Review', now(), now() + interval '1 hour', 'UTC', 'organizer@msp.example', md5(tenant || n), 'hash', 'user', now(), now()
         FROM unnest(ARRAY['tenant-a', 'tenant-b']) AS tenant, generate_series(1, 4000) AS n`,
  );
  await subgraph.database.query(
    `INSERT INTO meeting_attendees (tenant_id, meeting_id, email_address, position, kind)
       SELECT tenant_id, id, 'person-' || n || '@client.example', n, 'EMAIL' FROM online_meetings, generate_series(0, 2) AS n`,
  );
  await subgraph.database.query('ANALYZE');
});
afterAll(() => subgraph.close());

it.each(['Appointment', 'Interaction'])(
  'a board of 50 of the type %s is read by indexes, not from all meetings of the tenant',
  async (__typename) => {
    const statements = countStatements();
    statements.reset();
    const token = await subgraph.tokens.token('technician');
    const from = __typename === 'Appointment' ? 1_000 : 1_001;
    const r = Array.from({ length: 50 }, (_, n) => ({ __typename, id: `subject-${from + 2 * n}` }));
    const { data, errors } = await subgraph.send<{ _entities: { teamsMeeting: { attendees: unknown[] } }[] }>(
      token,
      `query ($r: [_Any!]!) { _entities(representations: $r) { ... on ${__typename} { teamsMeeting { attendees { name } } } } }`,
      { r },
    );
    expect(errors).toEqual([]);
    expect(data?._entities.flatMap(({ teamsMeeting }) => teamsMeeting.attendees)).toHaveLength(150);
    const reads = statements.sent().filter(({ text }) => text.includes('FROM online_meetings'));
    expect(reads).toHaveLength(1);
    for (const { text, values } of reads) {
      const [row] = await subgraph.database.query<{ 'QUERY PLAN': { 'Plan Rows': number; Plan: object }[] }>(
        `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
        values,
      );
      const plan = JSON.stringify(row?.['QUERY PLAN']);
      expect(plan).not.toContain('Seq Scan');
      expect(plan).not.toMatch(/"Rows Removed by Filter":[1-9]/);
    }
  },
);
