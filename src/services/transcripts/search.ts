import type { TranscriptHead } from '../artifacts/artifact-reads.ts';
import type { ArtifactVisibility } from '../artifacts/visibility.ts';
import { checkPageSize, type MeetingFilter, wellFormedIds, whereOf } from '../meetings/meeting-reads.ts';
import { InvalidArgumentError, type Scope, type ServiceTools } from '../scope.ts';
import { type Cue, parseVtt } from './vtt.ts';

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

/** Finds cues that hold every word asked for, newest transcripts first. @throws InvalidArgumentError */
export type SearchTranscripts = (
  scope: Scope,
  query: string,
  filter: MeetingFilter,
  first: number,
  after: string | null,
) => Promise<MatchPage>;

const MAX_WORDS = 16;
/** Transcripts read at a time, so that memory stays bounded whatever is stored. */
const CHUNK = 20;

/** Lower case and without accents, so that “Jose” finds “José”. */
function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

function encodeCursor(transcriptId: string, cueIndex: number): string {
  return Buffer.from(`${transcriptId}:${cueIndex}`).toString('base64url');
}

function decodeCursor(cursor: string): { transcriptId: string; cueIndex: number } {
  const [id = '', index = ''] = Buffer.from(cursor, 'base64url').toString('utf8').split(':');
  const [transcriptId] = wellFormedIds([id]);
  if (transcriptId === undefined || !/^\d{1,9}$/.test(index))
    throw new InvalidArgumentError('after is not a cursor of this list.');
  return { transcriptId, cueIndex: Number(index) };
}

export function makeSearchTranscripts(visibility: ArtifactVisibility, tools: ServiceTools): SearchTranscripts {
  return async (scope, query, filter, first, after) => {
    checkPageSize(first);
    const words = fold(query).split(/\s+/).filter(Boolean);
    if (words.length === 0) throw new InvalidArgumentError('query is empty.');
    if (words.length > MAX_WORDS) throw new InvalidArgumentError(`query has more than ${MAX_WORDS} words.`);
    const start = after === null ? null : decodeCursor(after);
    if (!(await visibility.seesArtifacts(scope))) return { matches: [], hasNextPage: false };

    const matches: TranscriptMatch[] = [];
    const where = { meeting: whereOf(scope, filter, tools.clock(), true) };
    let last = start === null ? undefined : { id: start.transcriptId };
    let includesLast = start !== null;
    for (;;) {
      const rows = await scope.db.run((prisma) =>
        prisma.meetingTranscript.findMany({
          where: last === undefined ? where : { ...where, id: includesLast ? { lte: last.id } : { lt: last.id } },
          // Ids are UUIDv7: their order is the order in which the transcripts were stored.
          orderBy: { id: 'desc' },
          take: CHUNK,
        }),
      );
      for (const { vtt, ...transcript } of rows) {
        for (const cue of await parseVtt(vtt)) {
          if (start !== null && transcript.id === start.transcriptId && cue.index <= start.cueIndex) continue;
          const text = fold(cue.text);
          if (!words.every((word) => text.includes(word))) continue;
          if (matches.length === first) return { matches, hasNextPage: true };
          matches.push({ transcript, cue, excerpt: cue.text, cursor: encodeCursor(transcript.id, cue.index) });
        }
      }
      if (rows.length < CHUNK) return { matches, hasNextPage: false };
      last = rows.at(-1);
      includesLast = false;
    }
  };
}
