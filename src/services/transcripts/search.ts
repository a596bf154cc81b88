import type { TenantPrisma } from '../../db/database.ts';
import { Prisma } from '../../generated/prisma/client.ts';
import type { TranscriptHead } from '../artifacts/artifact-reads.ts';
import type { ArtifactVisibility } from '../artifacts/visibility.ts';
import { meetingConditions } from '../meetings/meeting-conditions.ts';
import { checkPageSize, type MeetingFilter, wellFormedIds } from '../meetings/meeting-reads.ts';
import { InvalidArgumentError, type Scope, type ServiceTools } from '../scope.ts';
import { excerptOf, HIT_BEGINS, HIT_ENDS } from './excerpt.ts';
import { AS_WRITTEN } from './languages.ts';
import { cuesOf } from './passages.ts';
import { fold } from './search-text.ts';
import { wantedConfiguration } from './store-transcript.ts';
import type { Cue } from './vtt.ts';

export interface TranscriptMatch {
  transcript: TranscriptHead;
  cue: Cue;
  excerpt: string;
  cursor: string;
}

export interface MatchPage {
  matches: TranscriptMatch[];
  hasNextPage: boolean;
}

/**
 * Finds passages of transcripts by Postgres' full-text search, best first. A word is found as it is written and, where
 * the settings name a language, in its inflected forms. @throws InvalidArgumentError
 */
export type SearchTranscripts = (
  scope: Scope,
  query: string,
  filter: MeetingFilter,
  first: number,
  after: string | null,
) => Promise<MatchPage>;

const MAX_WORDS = 16;
/** No search holds one of the connections that all tenants share for longer. */
const LONGEST_MS = 5_000;
const MAX_CHARACTERS = 500;

/** So many of the newest passages are ranked: what a common word finds would else take seconds. */
const RANKED_PASSAGES = 1_000;

/** Where a page ended. */
interface Position {
  rank: number;
  transcriptId: string;
  index: number;
  /** The newest transcript of the first page: what is stored later does not move the pages behind it. */
  newest: string;
}

function encodeCursor({ rank, transcriptId, index, newest }: Position): string {
  return Buffer.from([rank, transcriptId, index, newest].join(':')).toString('base64url');
}

function decodeCursor(cursor: string): Position {
  const [rank = '', id = '', index = '', latest = ''] = Buffer.from(cursor, 'base64url').toString('utf8').split(':');
  const [transcriptId, newest] = wellFormedIds([id, latest]);
  if (transcriptId === undefined || newest === undefined || !/^\d{1,9}$/.test(rank) || !/^\d{1,9}$/.test(index))
    throw new InvalidArgumentError('after is not a cursor of this list.');
  return { rank: Number(rank), transcriptId, index: Number(index), newest };
}

/** The query as Postgres reads it. @throws InvalidArgumentError */
function foldQuery(query: string): string {
  const folded = query.length > MAX_CHARACTERS ? null : fold(query).replaceAll('\n', ' ');
  if (folded === null || folded.length > MAX_CHARACTERS)
    throw new InvalidArgumentError(`query has more than ${MAX_CHARACTERS} characters.`);
  // Postgres takes what is between letters and digits for the end of a word; each costs it time.
  const words = folded.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  if (words.length > MAX_WORDS) throw new InvalidArgumentError(`query has more than ${MAX_WORDS} words.`);
  return folded;
}

interface Looked {
  /** The configuration in which hits are found in the text that is shown. */
  configuration: string;
  tsquery: string;
}

/** Lets the transaction see only passages that match; see the migration for why the policy does it. */
async function lookFor(prisma: TenantPrisma, folded: string): Promise<Looked> {
  const configuration = await wantedConfiguration(prisma);
  const [row] = await prisma.$queryRaw<{ needed: string; is_in_language: boolean; tsquery: string }[]>`
    SELECT querytree(q) AS needed, is_in_language, set_config('app.search', q::text, true) AS tsquery,
           set_config('statement_timeout', ${LONGEST_MS}::text, true) AS timeout
      FROM websearch_to_tsquery(${configuration}::regconfig, ${folded}) AS l,
           websearch_to_tsquery(${AS_WRITTEN}::regconfig, ${folded}) AS w,
           -- Of a query whose words are all stop words of the language, only what is not wanted would be left.
           LATERAL (SELECT numnode(l) > 0 AND querytree(l) NOT IN ('', 'T') AS is_in_language) AS judged,
           LATERAL (SELECT CASE WHEN is_in_language THEN w || l ELSE w END AS q) AS given`;
  // `T` is what the manual's querytree() answers for a query that any passage without a word would match.
  if (row === undefined || row.needed === '' || row.needed === 'T')
    throw new InvalidArgumentError('query needs a word that the passages must hold.');
  return { configuration: row.is_in_language ? configuration : AS_WRITTEN, tsquery: row.tsquery };
}

interface FoundRow {
  transcript_id: string;
  index: number;
  rank: number;
  newest: string;
  first_cue: number;
  cues: unknown;
  marked: string;
}

/**
 * The statement that finds a page of passages, and one more, in a transaction that `lookFor` has prepared. The matching
 * ones are taken from the index of words before they are sorted: asked for the newest at once, Postgres may go through
 * all passages from the newest on, which is slower by far where it thinks a word commoner than it is.
 *
 * @param conditions on the meeting `m`; null when every meeting of the tenant may be looked in
 */
function findPassages(
  tenantId: string,
  { configuration, tsquery }: Looked,
  conditions: Prisma.Sql | null,
  first: number,
  after: Position | null,
): Prisma.Sql {
  const meetings =
    conditions === null
      ? Prisma.empty
      : Prisma.sql`JOIN online_meetings m ON m.tenant_id = p.tenant_id AND m.id = p.meeting_id AND ${conditions}`;
  const until = after === null ? Prisma.empty : Prisma.sql`AND p.transcript_id <= ${after.newest}::uuid`;
  const behind =
    after === null
      ? Prisma.empty
      : Prisma.sql`WHERE rank < ${after.rank} OR (rank = ${after.rank} AND (transcript_id < ${after.transcriptId}::uuid
          OR (transcript_id = ${after.transcriptId}::uuid AND index > ${after.index})))`;
  const newest =
    after === null ? Prisma.sql`(SELECT max(transcript_id::text COLLATE "C") FROM found)` : Prisma.sql`${after.newest}`;
  const options = `HighlightAll=true, StartSel=${HIT_BEGINS}, StopSel=${HIT_ENDS}`;
  return Prisma.sql`
    WITH matching AS MATERIALIZED (
      SELECT p.transcript_id, p.index, p.words
        FROM transcript_passages p ${meetings}
       WHERE p.tenant_id = ${tenantId} ${until}
    ), newest AS MATERIALIZED (
      SELECT * FROM matching ORDER BY transcript_id DESC, index DESC LIMIT ${RANKED_PASSAGES}
    ), found AS MATERIALIZED (
      SELECT transcript_id, index, (ts_rank(words, ${tsquery}::tsquery) * 1000000)::int AS rank FROM newest
    ), page AS MATERIALIZED (
      SELECT * FROM found ${behind} ORDER BY rank DESC, transcript_id DESC, index LIMIT ${first + 1}
    )
    SELECT page.*, ${newest} AS newest, p.first_cue, p.cues,
           ts_headline(${configuration}::regconfig, p.text, ${tsquery}::tsquery, ${options}) AS marked
      FROM page JOIN transcript_passages p
        ON p.tenant_id = ${tenantId} AND p.transcript_id = page.transcript_id AND p.index = page.index
     ORDER BY page.rank DESC, page.transcript_id DESC, page.index`;
}

export function makeSearchTranscripts(visibility: ArtifactVisibility, tools: ServiceTools): SearchTranscripts {
  return async (scope, query, filter, first, after) => {
    checkPageSize(first);
    const folded = foldQuery(query);
    const position = after === null ? null : decodeCursor(after);
    const seesArtifacts = await visibility.seesArtifacts(scope);
    const conditions = meetingConditions(scope, filter, tools.clock(), seesArtifacts);
    return scope.db.transaction(async (prisma) => {
      const looked = await lookFor(prisma, folded);
      if (!seesArtifacts) return { matches: [], hasNextPage: false };
      const statement = findPassages(scope.db.tenantId, looked, conditions, first, position);
      const rows = (await prisma.$queryRaw<FoundRow[]>(statement)).slice(0, first + 1);
      const page = rows.slice(0, first);
      const heads = await prisma.meetingTranscript.findMany({
        where: { id: { in: [...new Set(page.map((row) => row.transcript_id))] } },
        omit: { vtt: true },
      });
      const transcripts = new Map(heads.map((head) => [head.id, head]));
      const matches = page.flatMap((row) => {
        const transcript = transcripts.get(row.transcript_id);
        if (transcript === undefined) return [];
        const found = excerptOf(cuesOf({ firstCue: row.first_cue, cues: row.cues }), row.marked);
        const { transcript_id: transcriptId, index, rank, newest } = row;
        return [{ transcript, ...found, cursor: encodeCursor({ rank, transcriptId, index, newest }) }];
      });
      return { matches, hasNextPage: rows.length > first };
    });
  };
}
