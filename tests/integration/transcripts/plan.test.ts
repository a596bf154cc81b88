import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeSearchTranscripts } from '../../../src/services/transcripts/search.ts';
import { backgroundViewer } from '../../../src/services/viewer.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { storeMeeting } from '../access/rows.ts';

const TENANTS = ['tenant-plan', 'tenant-plan-2'];
let subgraph: TestSubgraph;

/** Two tenants with as many passages as make an index worth its while, of which a few say “heron”. */
beforeAll(async () => {
  subgraph = await startTestSubgraph();
  for (const tenant of TENANTS) {
    const { id } = await storeMeeting(subgraph, tenant, { appointmentId: 'p', clientId: 'client-1' });
    await subgraph.database.query(
      `WITH t AS (INSERT INTO meeting_transcripts (tenant_id, id, meeting_id, graph_transcript_id, created_at, is_speaker_attributed, vtt, indexed_as)
         SELECT $1, gen_random_uuid(), $2, 't' || n, now(), true, '', 'simple' FROM generate_series(1, 400) n RETURNING tenant_id, id, meeting_id)
       INSERT INTO transcript_passages (tenant_id, transcript_id, index, meeting_id, first_cue, last_cue, cues, text, indexed_as)
       SELECT t.tenant_id, t.id, n, t.meeting_id, n, n, '[[0, 1, "Jane", "heron"]]',
              'common words and number' || ('x' || substr(md5(t.id::text || n), 1, 4))::bit(16)::int % 1500 || CASE WHEN n = 0 AND t.id::text LIKE '%0' THEN ' heron' ELSE '' END, 'simple'
         FROM t, generate_series(0, 19) n`,
      [tenant, id],
    );
  }
  await subgraph.database.query('ANALYZE');
});
afterAll(() => subgraph.close());

const scopeOf = (tenant: string) => ({ viewer: backgroundViewer(tenant), db: subgraph.db.forTenant(tenant) });

/** The plan of the very statement that a search sends, as the application role, under row security. */
async function planOf(query: string, filter: object): Promise<string> {
  const scope = scopeOf('tenant-plan');
  let plan = '';
  const explaining: typeof scope = {
    ...scope,
    db: {
      ...scope.db,
      transaction: (work) =>
        scope.db.transaction(async (prisma) => {
          const queryRaw = prisma.$queryRaw.bind(prisma);
          const watched = new Proxy(prisma, {
            get(target, name, receiver) {
              if (name !== '$queryRaw') return Reflect.get(target, name, receiver);
              return async (first: Parameters<typeof queryRaw>[0], ...rest: unknown[]) => {
                if ('sql' in first) {
                  const { Prisma } = await import('../../../src/generated/prisma/client.ts');
                  const rows = await queryRaw<{ 'QUERY PLAN': string }[]>(Prisma.sql`EXPLAIN ${first}`);
                  plan = rows.map((row) => row['QUERY PLAN']).join('\n');
                }
                return queryRaw(first, ...rest);
              };
            },
          });
          return work(watched);
        }),
    },
  };
  const search = makeSearchTranscripts(
    { seesArtifacts: async () => true },
    { ...({ clock: () => new Date() } as Parameters<typeof makeSearchTranscripts>[1]) },
  );
  const { matches } = await search(explaining, query, filter, 25, null);
  expect(matches.length).toBeGreaterThan(0);
  return plan;
}

it.each([
  ['in all meetings', {}],
  ['in a client’s', { clientId: 'client-1' }],
  ['in those that have no recording and are not over', { hasRecordings: false, status: ['SCHEDULED'] }],
])('a search %s goes through the index of words, though row security stands before it', async (_where, filter) => {
  const plan = await planOf('heron', filter);
  expect(plan).toContain('Bitmap Index Scan on transcript_passages_words_idx');
  expect(plan).toMatch(/Index Cond: \(words @@ /);
  expect(plan).not.toContain('Seq Scan on transcript_passages');
});

it('a word that every passage holds goes through the index too, and not through every passage', async () => {
  expect(await planOf('common', {})).toContain('Bitmap Index Scan on transcript_passages_words_idx');
});

it('a search finds nothing of another tenant, and what is searched ends with its transaction', async () => {
  const scope = scopeOf('tenant-plan');
  const count = (tenant: string) => scopeOf(tenant).db.run((prisma) => prisma.transcriptPassage.count());
  const search = (tenant: string, query: string) =>
    subgraph.services.searchTranscripts(scopeOf(tenant), query, {}, 100, null);
  const own = await search('tenant-plan', 'heron');
  const others = await search('tenant-plan-2', 'heron');
  const ids = new Set(own.matches.map(({ transcript }) => transcript.id));
  expect(others.matches.some(({ transcript }) => ids.has(transcript.id))).toBe(false);
  expect([await count('tenant-plan'), await count('tenant-plan-2'), await count('nobody')]).toEqual([8_000, 8_000, 0]);
  // Whoever could set what is searched for would see less of the own tenant, never another's.
  const seen = await scope.db.transaction(async (prisma) => {
    await prisma.$queryRaw`SELECT set_config('app.search', '''tenant 0'' | heron | !heron', true)`;
    return prisma.$queryRaw<{ tenant_id: string }[]>`SELECT DISTINCT tenant_id FROM transcript_passages`;
  });
  expect(seen).toEqual([{ tenant_id: 'tenant-plan' }]);
});

it('of a word that thousands of passages hold the newest are ranked, page by page, and it ends', async () => {
  const seen = new Set<string>();
  let after: string | null = null;
  let pages = 0;
  for (; pages < 50; pages += 1) {
    const page: Awaited<ReturnType<TestSubgraph['services']['searchTranscripts']>> =
      await subgraph.services.searchTranscripts(scopeOf('tenant-plan'), 'common', {}, 100, after);
    for (const match of page.matches) seen.add(match.cursor);
    after = page.matches.at(-1)?.cursor ?? null;
    if (!page.hasNextPage) break;
  }
  expect(seen.size).toBe(1_000);
  expect(pages).toBe(9);
});
