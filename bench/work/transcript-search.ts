/**
 * What a search costs among 10,000 generated transcripts beside a read by primary key in the same run, both through
 * the services, Prisma and row security, one after the other in turn. Prints milliseconds, the ratio of the 95th
 * percentiles, and the plan.
 *
 * The words are drawn by Zipf's law from 20,000; queries have one to three of the words of a passage that exists, the
 * hundred commonest left out, as people leave them out.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { openDatabase } from '../src/db/database.ts';
import { startEmbeddedPostgres } from '../src/db/embedded-postgres.ts';
import { migrate } from '../src/db/migrations.ts';
import { Prisma } from '../src/generated/prisma/client.ts';
import { createArtifactReads } from '../src/services/artifacts/artifact-reads.ts';
import type { Scope, ServiceTools } from '../src/services/scope.ts';
import { findPassages, makeSearchTranscripts } from '../src/services/transcripts/search.ts';
import { storeTranscript } from '../src/services/transcripts/store-transcript.ts';
import { backgroundViewer } from '../src/services/viewer.ts';

const TRANSCRIPTS = Number(process.argv[2] ?? 10_000);
const SEARCHES = 400;
const TENANT = 'tenant-a';

/** Numbers from 0 up to 1 that are the same in every run (mulberry32). */
let state = 1;
function random(): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

const SYLLABLES = ['ba', 'co', 'di', 'fu', 'ge', 'hi', 'ka', 'lo', 'mi', 'nu', 'pe', 'qui', 'ra', 'so', 'té', 'vü'];
const VOCABULARY = Array.from({ length: 20_000 }, (_, i) =>
  i
    .toString(16)
    .padStart(3, '0')
    .replace(/./g, (digit) => SYLLABLES[Number.parseInt(digit, 16)] ?? ''),
);
const HARMONIC = VOCABULARY.reduce((sum, _, i) => sum + 1 / (i + 1), 0);
const CUMULATIVE: number[] = [];
for (let i = 0, sum = 0; i < VOCABULARY.length; i += 1) {
  sum += 1 / (i + 1) / HARMONIC;
  CUMULATIVE.push(sum);
}

/** The place in the vocabulary of a word as often as Zipf has it. */
function zipf(): number {
  const wanted = random();
  let [low, high] = [0, CUMULATIVE.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((CUMULATIVE[middle] ?? 1) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Twelve words a cue, a few seconds each; most meetings are short, some are long. */
function transcript(): { vtt: string; queries: string[] } {
  const cueCount = Math.min(2_000, Math.round(40 + 60 * -Math.log(1 - random())));
  const queries: string[] = [];
  const time = (seconds: number) => new Date(seconds * 1000).toISOString().slice(11, 23);
  const cues = Array.from({ length: cueCount }, (_, i) => {
    const ranks = Array.from({ length: 12 }, zipf);
    if (i === 3) {
      const rare = ranks.filter((rank) => rank >= 100).slice(0, 1 + Math.floor(random() * 3));
      if (rare.length > 0) queries.push(rare.map((rank) => VOCABULARY[rank]).join(' '));
    }
    return `${time(i * 4)} --> ${time(i * 4 + 3.5)}\n<v Speaker ${i % 4}>${ranks.map((rank) => VOCABULARY[rank]).join(' ')}</v>\n`;
  });
  return { vtt: `WEBVTT\n\n${cues.join('\n')}`, queries };
}

const percentile = (values: number[], p: number) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * p))] ?? Number.NaN;

const directory = await mkdtemp(join(tmpdir(), 'search-'));
const cluster = await startEmbeddedPostgres({ directory, persistent: false, durable: false });
try {
  await migrate(cluster.url());
  const superuser = new pg.Client({ connectionString: cluster.url() });
  await superuser.connect();
  const database = await openDatabase({ connectionString: cluster.url(), poolSize: 2 });
  const scope: Scope = { viewer: backgroundViewer(TENANT), db: database.forTenant(TENANT) };
  const silent = () => undefined;
  const tools: ServiceTools = {
    clock: () => new Date(),
    newId: uuidv7,
    sleep: async () => undefined,
    random,
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    metrics: { driftFound: silent, operationEnded: silent },
  };
  await superuser.query(
    "INSERT INTO teams_integrations (tenant_id, transcript_language, created_at, updated_at) VALUES ($1, 'en', now(), now())",
    [TENANT],
  );

  const queries: string[] = [];
  const ids: string[] = [];
  const began = performance.now();
  for (let stored = 0; stored < TRANSCRIPTS; stored += 50) {
    await scope.db.transaction(async (prisma) => {
      const now = new Date();
      const meetingId = uuidv7();
      await prisma.onlineMeeting.create({
        data: {
          id: meetingId,
          appointmentId: meetingId,
          clientId: `client-${stored % 7}`,
          status: 'SCHEDULED',
          subject: 'Meeting',
          startsAt: now,
          endsAt: new Date(now.getTime() + 3_600_000),
          timeZone: 'UTC',
          organizerUpn: 'organizer@msp.example',
          transactionId: meetingId,
          inputHash: 'hash',
          createdBy: 'user',
          createdAt: now,
          updatedAt: now,
        },
      });
      for (let i = 0; i < 50; i += 1) {
        const { vtt, queries: own } = transcript();
        queries.push(...own);
        const artifact = {
          id: uuidv7(),
          meetingId: null,
          callId: null,
          contentCorrelationId: null,
          createdAt: now,
          endedAt: null,
        };
        const content = { vtt: new TextEncoder().encode(vtt), isSpeakerAttributed: true };
        await storeTranscript(prisma, tools, meetingId, artifact, content);
      }
    });
  }
  const storing = (performance.now() - began) / TRANSCRIPTS;
  await superuser.query('VACUUM ANALYZE');
  const sizes = await superuser.query<{ passages: string; table: string; index: string; cues: string }>(
    `SELECT (SELECT count(*) FROM transcript_passages) AS passages, (SELECT sum(cue_count) FROM meeting_transcripts) AS cues,
            pg_size_pretty(pg_table_size('transcript_passages')) AS table, pg_size_pretty(pg_relation_size('transcript_passages_words_idx')) AS index`,
  );
  console.log(
    `${TRANSCRIPTS} transcripts, ${sizes.rows[0]?.cues} cues, ${sizes.rows[0]?.passages} passages (${sizes.rows[0]?.table}, index ${sizes.rows[0]?.index}); stored in ${storing.toFixed(1)} ms each`,
  );

  const visibility = { seesArtifacts: async () => true };
  const search = makeSearchTranscripts(visibility, tools);
  const reads = createArtifactReads(visibility);
  ids.push(
    ...(await superuser.query<{ id: string }>('SELECT id FROM meeting_transcripts LIMIT 1000')).rows.map(
      ({ id }) => id,
    ),
  );

  const samples = { read: [] as number[], search: [] as number[], filtered: [] as number[], common: [] as number[] };
  const timed = async (into: number[], work: () => Promise<unknown>) => {
    const start = performance.now();
    await work();
    into.push(performance.now() - start);
  };
  let found = 0;
  let slowest = { query: '', took: 0 };
  for (let i = -50; i < SEARCHES; i += 1) {
    const isWarm = i >= 0;
    const query = queries[Math.floor(random() * queries.length)] ?? '';
    const one = isWarm ? samples : { read: [], search: [], filtered: [], common: [] };
    await timed(one.read, () => reads.transcriptsByIds(scope, [ids[Math.floor(random() * ids.length)] ?? '']));
    await timed(one.search, async () => {
      found += (await search(scope, query, {}, 25, null)).matches.length;
    });
    const took = one.search.at(-1) ?? 0;
    if (isWarm && took > slowest.took) slowest = { query, took };
    await timed(one.filtered, () => search(scope, query, { clientId: `client-${Math.abs(i) % 7}` }, 25, null));
    if (i % 20 === 0)
      await timed(one.common, () => search(scope, VOCABULARY[Math.abs(i / 20) % 5] ?? '', {}, 25, null));
  }
  const base = percentile(samples.read, 0.95);
  for (const [name, values] of Object.entries(samples)) {
    const [p50, p95] = [percentile(values, 0.5), percentile(values, 0.95)];
    console.log(
      `${name.padEnd(10)} p50 ${p50.toFixed(2).padStart(8)} ms   p95 ${p95.toFixed(2).padStart(8)} ms   p95 ${(p95 / base).toFixed(1).padStart(6)} × a read`,
    );
  }
  console.log(
    `(filtered: in one client's meetings; common: one of the five commonest words) ${(found / (SEARCHES + 50)).toFixed(1)} found of 25`,
  );

  // The slowest of all tells more than the first.
  const example = slowest.query;
  const plan = await scope.db.transaction(async (prisma) => {
    const [row] = await prisma.$queryRaw<{ tsquery: string }[]>`
      SELECT set_config('app.search', (websearch_to_tsquery('simple', ${example}) || websearch_to_tsquery('english', ${example}))::text, true) AS tsquery`;
    const looked = { configuration: 'english', tsquery: row?.tsquery ?? '' };
    return prisma.$queryRaw<{ 'QUERY PLAN': string }[]>(
      Prisma.sql`EXPLAIN (ANALYZE, COSTS OFF, BUFFERS OFF) ${findPassages(TENANT, looked, null, 25, null)}`,
    );
  });
  console.log(
    `\nThe plan for the slowest, ${JSON.stringify(example)}, ${slowest.took.toFixed(1)} ms:\n${plan.map((row) => row['QUERY PLAN']).join('\n')}`,
  );
  await database.close();
  await superuser.end();
} finally {
  await cluster.stop();
  await rm(directory, { recursive: true, force: true });
}
