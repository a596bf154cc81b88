/** An application permission of Microsoft Graph that this product knows of. */
export interface KnownPermission {
  name: string;
  /** What this product does with it, to stand after "for" in a sentence. */
  usedFor: string;
  /** Whether the product cannot do without it; false for what one feature alone needs. */
  isRequired: boolean;
}

/** Source of the names: Microsoft Graph permissions reference. */
export const KNOWN_PERMISSIONS: readonly KnownPermission[] = [
  { name: 'Calendars.ReadWrite', usedFor: 'making the calendar events of meetings', isRequired: true },
  { name: 'OnlineMeetings.ReadWrite.All', usedFor: 'the online meeting of an event and its options', isRequired: true },
  { name: 'OnlineMeetingRecording.Read.All', usedFor: 'recordings', isRequired: true },
  { name: 'OnlineMeetingTranscript.Read.All', usedFor: 'transcripts', isRequired: true },
  { name: 'User.Read.All', usedFor: 'finding the organizer', isRequired: true },
  { name: 'OnlineMeetingArtifact.Read.All', usedFor: 'attendance reports', isRequired: false },
];

export const REQUIRED_PERMISSIONS: readonly KnownPermission[] = KNOWN_PERMISSIONS.filter(
  ({ isRequired }) => isRequired,
);

/** The one that Exchange can grant for a single mailbox (RBAC for Applications); it is then not in the token. */
export const EXCHANGE_PERMISSION = 'Calendars.ReadWrite';
