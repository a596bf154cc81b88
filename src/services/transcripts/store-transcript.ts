import type { TenantPrisma } from '../../db/database.ts';
import type { GraphCallArtifact, GraphTranscriptContent } from '../../graph/types.ts';
import type { ServiceTools } from '../scope.ts';
import { configurationOf } from './languages.ts';
import { type Passage, passagesOf } from './passages.ts';
import { durationOf, parseVtt, type Speaker, speakersOf } from './vtt.ts';
import { decodeTranscript } from './vtt-document.ts';

/** Rows a statement, so that a meeting of eight hours is no statement of megabytes. */
const CHUNK = 200;

/** What is stored beside the bytes. */
interface Derived {
  facts: {
    cueCount: number;
    unparsedLines: number[];
    durationSeconds: number | null;
    speakers: { name: string; talkSeconds: number; cueCount: number }[];
  };
  passages: Passage[];
}

/** All that is known of a transcript by reading it. Never throws: bytes that are no WebVTT have no cues. */
export function deriveFrom(vtt: Uint8Array): Derived {
  const { cues, unparsedLines } = parseVtt(decodeTranscript(vtt));
  const speakers: Speaker[] = speakersOf(cues);
  return {
    facts: { cueCount: cues.length, unparsedLines, durationSeconds: durationOf(cues), speakers },
    passages: passagesOf(cues),
  };
}

/** The text-search configuration that the tenant's settings ask for. */
export async function wantedConfiguration(prisma: TenantPrisma): Promise<string> {
  const settings = await prisma.teamsIntegration.findFirst({ select: { transcriptLanguage: true } });
  return configurationOf(settings?.transcriptLanguage);
}

/** Stores the passages of a transcript that has none. */
export async function storePassages(
  prisma: TenantPrisma,
  transcript: { id: string; meetingId: string },
  passages: readonly Passage[],
  indexedAs: string,
): Promise<void> {
  for (let from = 0; from < passages.length; from += CHUNK) {
    await prisma.transcriptPassage.createMany({
      data: passages
        .slice(from, from + CHUNK)
        .map((passage) => ({ ...passage, transcriptId: transcript.id, meetingId: transcript.meetingId, indexedAs })),
    });
  }
}

/** Says how many pieces of a transcript could not be read; never what they say. */
export function tellUnparsed(
  tools: ServiceTools,
  fields: { meetingId: string; transcriptId: string },
  { cueCount, unparsedLines }: Derived['facts'],
): void {
  if (unparsedLines.length === 0) return;
  tools.logger.warn(
    { ...fields, cueCount, unparsedCueCount: unparsedLines.length },
    '[TeamsMeetings] operation=transcript parts could not be read',
  );
}

/**
 * Stores a transcript with all that is derived from it: how long, who spoke, and the passages that are searched.
 * Nothing is derived from one that cannot be read, and it is stored all the same.
 *
 * @param prisma of a transaction: either all of it is stored or nothing
 * @returns its id; null when Microsoft's id is stored already for this meeting, and then nothing changed
 */
export async function storeTranscript(
  prisma: TenantPrisma,
  tools: ServiceTools,
  meetingId: string,
  artifact: GraphCallArtifact,
  content: GraphTranscriptContent,
): Promise<string | null> {
  const { callId, contentCorrelationId, createdAt, endedAt } = artifact;
  const derived = deriveFrom(content.vtt);
  const indexedAs = await wantedConfiguration(prisma);
  const id = tools.newId();
  const { count } = await prisma.meetingTranscript.createMany({
    data: [
      {
        id,
        meetingId,
        graphTranscriptId: artifact.id,
        callId,
        contentCorrelationId,
        createdAt,
        endedAt,
        capturedAt: tools.clock(),
        isSpeakerAttributed: content.isSpeakerAttributed,
        vtt: content.vtt,
        ...derived.facts,
        indexedAs,
      },
    ],
    skipDuplicates: true,
  });
  if (count === 0) return null;
  await storePassages(prisma, { id, meetingId }, derived.passages, indexedAs);
  tellUnparsed(tools, { meetingId, transcriptId: id }, derived.facts);
  return id;
}
