/**
 * W8: what a search among thousands of transcripts costs, row security and authorization included, beside a read by
 * primary key, and beside what a server written by hand might send over the same words: one statement over passages
 * without row security, one over whole transcripts, and ILIKE. All in one process, one after the other in turn. What the
 * last two find is not the same: they know transcripts, not the minute in which something was said.
 */
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { openDatabase } from '../../src/db/database.ts';
import { createArtifactReads } from '../../src/services/artifacts/artifact-reads.ts';
import type { Scope, ServiceTools } from '../../src/services/scope.ts';
import { makeSearchTranscripts } from '../../src/services/transcripts/search.ts';
import { storeTranscript } from '../../src/services/transcripts/store-transcript.ts';
import { backgroundViewer } from '../../src/services/viewer.ts';
import type { Measure, WorkloadResult } from '../report/result.ts';
import type { Surroundings } from '../support/environment.ts';
import { median, percentile } from '../support/statistics.ts';
import { type Corpus, createCorpus } from './transcript-corpus.ts';

const TRANSCRIPTS = 2_000;
const IN_A_TRANSACTION = 10;
const CLIENTS = 7;
const PAGE = 25;
const WARM_UP = 20;
/** Slow ones get fewer turns. */
const SEARCHES = 200;
const SLOW_EVERY = 10;
const TENANT = 'tenant-searched';

function toolsOf(random: () => number): ServiceTools {
  const silent = () => undefined;
  return {
    clock: () => new Date(),
    newId: uuidv7,
    sleep: (milliseconds) => setTimeout(milliseconds),
    random,
    logger: { debug: silent, info: silent, warn: silent, error: console.error },
    metrics: { driftFound: silent, operationEnded: silent, artifactsCaptured: silent, notificationsReceived: silent },
  };
}

/** Stores meetings with ten transcripts each; resolves with what may be looked for. */
async function fill(scope: Scope, tools: ServiceTools, corpus: Corpus): Promise<string[]> {
  const queries: string[] = [];
  for (let stored = 0; stored < TRANSCRIPTS; stored += IN_A_TRANSACTION) {
    await scope.db.transaction(async (prisma) => {
      const now = new Date();
      const meetingId = uuidv7();
      await prisma.onlineMeeting.create({
        data: {
          id: meetingId,
          appointmentId: meetingId,
          clientId: `client-${(stored / IN_A_TRANSACTION) % CLIENTS}`,
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
      for (let n = 0; n < IN_A_TRANSACTION; n += 1) {
        const { vtt, queries: own } = corpus.transcript();
        queries.push(...own);
        const unknown = { meetingId: null, callId: null, contentCorrelationId: null, endedAt: null };
        const content = { vtt: new TextEncoder().encode(vtt), isSpeakerAttributed: true };
        await storeTranscript(prisma, tools, meetingId, { ...unknown, id: uuidv7(), createdAt: now }, content);
      }
    });
  }
  return queries;
}

/** What a hand-written server would keep: each transcript's text beside its words, with an index. */
const WHOLE = `
  CREATE TABLE bench_transcripts AS
    SELECT tenant_id, transcript_id, string_agg(text, ' ' ORDER BY index) AS text FROM transcript_passages
     WHERE tenant_id = '${TENANT}' GROUP BY tenant_id, transcript_id;
  ALTER TABLE bench_transcripts ADD COLUMN words tsvector GENERATED ALWAYS AS (to_tsvector('english', text)) STORED;
  CREATE INDEX ON bench_transcripts USING gin (words)`;

const WANTED = "websearch_to_tsquery('english', $2) AS wanted";
const ranked = (table: string, order: string) => `
  WITH found AS (SELECT *, ts_rank(words, wanted) AS rank FROM ${table}, ${WANTED}
                  WHERE tenant_id = $1 AND words @@ wanted ORDER BY rank DESC, ${order} LIMIT ${PAGE})
  SELECT transcript_id, rank, ts_headline('english', text, wanted) AS headline FROM found ORDER BY rank DESC, ${order}`;

const BY_HAND = {
  passages: ranked('transcript_passages', 'transcript_id DESC, index'),
  whole: ranked('bench_transcripts', 'transcript_id DESC'),
  ilike: `SELECT transcript_id, substring(text FROM greatest(1, position(lower($2) IN lower(text)) - 80) FOR 200) AS headline
            FROM bench_transcripts WHERE tenant_id = $1 AND text ILIKE '%' || $2 || '%' ORDER BY transcript_id DESC LIMIT ${PAGE}`,
};

export async function transcriptSearch({ databaseUrl }: Surroundings): Promise<WorkloadResult> {
  const corpus = createCorpus();
  const tools = toolsOf(corpus.random);
  const superuser = new pg.Client({ connectionString: databaseUrl });
  await superuser.connect();
  const database = await openDatabase({ connectionString: databaseUrl, poolSize: 2 });
  const scope: Scope = { viewer: backgroundViewer(TENANT), db: database.forTenant(TENANT) };
  try {
    await superuser.query(
      `INSERT INTO teams_integrations (tenant_id, transcript_language, created_at, updated_at) VALUES ($1, 'en', now(), now())`,
      [TENANT],
    );
    const began = performance.now();
    const queries = await fill(scope, tools, corpus);
    const storedMs = (performance.now() - began) / TRANSCRIPTS;
    await superuser.query(WHOLE);
    await superuser.query(
      'VACUUM ANALYZE transcript_passages, meeting_transcripts, online_meetings, bench_transcripts',
    );
    const { rows: heads } = await superuser.query<{ id: string }>(
      'SELECT id FROM meeting_transcripts WHERE tenant_id = $1 LIMIT 1000',
      [TENANT],
    );

    const visibility = { seesArtifacts: async () => true };
    const search = makeSearchTranscripts(visibility, tools);
    const reads = createArtifactReads(visibility, tools);
    const byHand = (name: keyof typeof BY_HAND, query: string) =>
      superuser.query({ name, text: BY_HAND[name], values: [TENANT, query] });
    const pick = <T>(from: readonly T[], otherwise: T): T =>
      from[Math.floor(corpus.random() * from.length)] ?? otherwise;

    const ways: Record<string, { every: number; ask: (query: string) => Promise<unknown> }> = {
      'read by primary key': { every: 1, ask: () => reads.transcriptsByIds(scope, [pick(heads, { id: '' }).id]) },
      search: { every: 1, ask: (query) => search(scope, query, {}, PAGE, null) },
      'search in one client': { every: 1, ask: (query) => search(scope, query, { clientId: 'client-3' }, PAGE, null) },
      'search for a common word': {
        every: SLOW_EVERY,
        ask: () => search(scope, pick(corpus.commonWords, ''), {}, PAGE, null),
      },
      'by hand: passages, no row security': { every: 1, ask: (query) => byHand('passages', query) },
      'by hand: whole transcripts': { every: 1, ask: (query) => byHand('whole', query) },
      'by hand: ILIKE': { every: SLOW_EVERY, ask: (query) => byHand('ilike', query.split(' ')[0] ?? '') },
    };
    const samples = new Map<string, number[]>(Object.keys(ways).map((name) => [name, []]));
    for (let turn = -WARM_UP; turn < SEARCHES; turn += 1) {
      const query = pick(queries, '');
      for (const [name, { every, ask }] of Object.entries(ways)) {
        if (turn % every !== 0) continue;
        const start = performance.now();
        await ask(query);
        if (turn >= 0) samples.get(name)?.push(performance.now() - start);
      }
    }

    const medianOf = (name: string) => median(samples.get(name) ?? []);
    const ratio = (what: string, name: string, to: string): Measure => ({
      what,
      value: medianOf(name) / medianOf(to),
      unit: '×',
    });
    return {
      name: 'W8',
      title: `search among ${TRANSCRIPTS} transcripts`,
      measures: [
        { what: 'storing a transcript', value: storedMs, unit: 'ms' },
        ...[...samples].flatMap(([name, values]) => [
          { what: `${name}: p50`, value: median(values), unit: 'ms' },
          { what: `${name}: p95`, value: percentile(values, 0.95), unit: 'ms' },
        ]),
        ratio('search ÷ read by primary key, of medians', 'search', 'read by primary key'),
        ratio('search ÷ by hand over passages, of medians', 'search', 'by hand: passages, no row security'),
        ratio('search ÷ by hand over whole transcripts, of medians', 'search', 'by hand: whole transcripts'),
      ],
    };
  } finally {
    await database.close();
    await superuser.end();
  }
}
