export interface ParticipantInput {
  name: string;
  /** Default null: a guest. */
  emailAddress?: string | null;
  /** Default `Attendee`. */
  role?: string;
  /** Object id; default null. */
  userId?: string | null;
  /** Default: the whole call. */
  seconds?: number;
}

/** How content that is not there is answered; not documented. */
export interface ArtifactContentInput {
  /** Of a recording or transcript that was deleted or has expired; default 404. */
  gone?: 404 | 410;
  /** Of a transcript without words; default 404. */
  wordless?: 400 | 404 | 500;
}

/** Known issues of the lists over all of an organizer's meetings (Microsoft Learn: known-issues); default: none. */
export interface CrossMeetingInput {
  /** Recordings of calls without a transcript; default listed. */
  recordingsWithoutTranscript?: 'listed' | 'leftOut';
  /** After the first page comes an empty one with a nextLink, and then everything again. */
  restartsAfterEmptyPage?: boolean;
  /** A later round of change tracking repeats the newest item that was told before. */
  deltaRepeats?: boolean;
}
