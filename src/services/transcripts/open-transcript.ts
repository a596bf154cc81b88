import type { ArtifactVisibility } from '../artifacts/visibility.ts';
import { visibleMeetings } from '../meetings/meeting.ts';
import { wellFormedIds } from '../meetings/meeting-reads.ts';
import type { Scope } from '../scope.ts';
import { fold } from './search-text.ts';
import { paragraphsOf, parseVtt } from './vtt.ts';
import { decodeTranscript, readDocument, writeDocument } from './vtt-document.ts';

export interface TranscriptFile {
  content: Uint8Array;
  /** Of letters, digits and hyphens, with its ending: safe in a header and in any file system. */
  fileName: string;
}

/** A transcript as a file for the viewer of a link, or null when it is not (any more) for them. */
export type OpenTranscript = (
  scope: Scope,
  transcriptId: string,
  format: 'vtt' | 'txt',
) => Promise<TranscriptFile | null>;

/** The kept bytes where a browser takes them as they are, else the same cues in a form that it takes. */
export function servedVtt(bytes: Uint8Array): Uint8Array {
  const text = decodeTranscript(bytes);
  const document = readDocument(text);
  // What was decoded with loss, or from another encoding, is other bytes: a browser reads UTF-8 only.
  const isAsStored = document.isStandard && Buffer.from(text).equals(withoutMark(bytes));
  return isAsStored ? bytes : Buffer.from(writeDocument(document));
}

function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

function fileName(subject: string, createdAt: Date, ending: string): string {
  const words = fold(subject).match(/[a-z0-9]+/g) ?? [];
  const name = ['transcript', createdAt.toISOString().slice(0, 10), ...words].join('-').slice(0, 80);
  return `${name.replace(/-$/, '')}.${ending}`;
}

export function makeOpenTranscript(visibility: ArtifactVisibility): OpenTranscript {
  return async (scope, transcriptId, format) => {
    if (!(await visibility.seesArtifacts(scope))) return null;
    const row = await scope.db.run((prisma) =>
      prisma.meetingTranscript.findFirst({
        where: { id: { in: wellFormedIds([transcriptId]) }, meeting: visibleMeetings(scope.viewer) },
        select: { vtt: true, createdAt: true, meeting: { select: { subject: true } } },
      }),
    );
    if (row === null) return null;
    const content =
      format === 'vtt'
        ? servedVtt(row.vtt)
        : Buffer.from(`${paragraphsOf(parseVtt(decodeTranscript(row.vtt)).cues)}\n`);
    return { content, fileName: fileName(row.meeting.subject, row.createdAt, format) };
  };
}
