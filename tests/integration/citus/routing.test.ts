import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareSql } from '../../support/distribution.ts';
import { type HotStatement, hotStatements } from '../../support/hot-statements.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { WITHOUT_WAITS } from '../domain/support.ts';

/** Prisma asks `mine` by a subquery over the attendees of all tenants, which row security alone narrows. */
const NOT_YET = new Set(['list of mine with recordings: meeting_attendees']);

let subgraph: TestSubgraph;
let statements: HotStatement[];
/** The superuser, for whom row security adds nothing to a statement. */
let superuser: pg.Client;

beforeAll(async () => {
  subgraph = await startTestSubgraph({ graph: WITHOUT_WAITS });
  // The server works with what Citus needs to be different, and finds what was said.
  await subgraph.database.query(await prepareSql());
  statements = await hotStatements(subgraph);
  superuser = new pg.Client({ connectionString: subgraph.database.url });
  await superuser.connect();
  await superuser.query("SET app.tenant_id = 'tenant-a'");
});
afterAll(async () => {
  await superuser.end();
  await subgraph.close();
});

interface PlanNode {
  'Relation Name'?: string;
  Plans?: PlanNode[];
  [detail: string]: unknown;
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** Where a statement goes through rows of a table without saying itself of which tenant. */
async function unboundScans({ text, values, tables }: HotStatement): Promise<string[]> {
  const { rows } = await superuser.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
    `EXPLAIN (FORMAT JSON, COSTS OFF) ${text}`,
    values,
  );
  const nodes = nodesOf(rows[0]?.['QUERY PLAN'][0]?.Plan ?? {});
  return nodes
    .filter((node) => tables.includes(node['Relation Name'] ?? '') && node['Node Type'] !== 'ModifyTable')
    .filter(
      (node) =>
        !JSON.stringify({ ...node, Plans: (node.Plans ?? []).filter((below) => below['Index Name']) }).includes(
          'tenant_id',
        ),
    )
    .map((node) => String(node['Relation Name']));
}

describe('the statements of the hot paths', () => {
  it('are told from a server that did everything once', () => {
    const touched = new Set(statements.flatMap(({ tables }) => tables));
    for (const table of [
      'online_meetings',
      'meeting_attendees',
      'meeting_recordings',
      'meeting_transcripts',
      'transcript_passages',
      'teams_integrations',
      'audit_events',
    ])
      expect(touched).toContain(table);
    expect(statements.length).toBeGreaterThan(40);
  });

  it('each name the tenant for every table that they go through, so that one shard answers', async () => {
    const unbound: string[] = [];
    for (const statement of statements) {
      for (const table of await unboundScans(statement)) {
        if (!NOT_YET.has(`${statement.of.split(',')[0]}: ${table}`))
          unbound.push(`${statement.of}, ${table}: ${statement.text}`);
      }
    }
    expect(unbound).toEqual([]);
  });

  it('never write a tenant into a row that is there', () => {
    const moving = statements.filter(({ text }) =>
      /(?:^|,)\s*"?tenant_id"?\s*=/.test(/\bSET\s+([\s\S]*?)\bWHERE\b/.exec(text)?.[1] ?? ''),
    );
    expect(moving.map(({ text }) => text)).toEqual([]);
  });
});
