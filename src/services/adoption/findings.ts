/** What is told of something that was not taken over, or not as it was. The codes are part of the report's format. */
export const FINDINGS = {
  CONNECT_APP: {
    taken: true,
    message: 'No secret is taken over: the Microsoft app of this tenant has to be connected again.',
    remedy: 'Run connectMicrosoftApp with the same client id and directory, save the organizer again, then set ACTIVE.',
  },
  SETTINGS_KEPT: {
    taken: false,
    message: 'The settings were saved here in another way: they stay as they are here.',
    remedy: 'Compare them with the source, and change them with updateTeamsSettings where they should be the same.',
  },
  NO_BLOB_STORE: {
    taken: false,
    message: 'Recordings were copied there; here copies are off, because BLOB_STORE is not set.',
    remedy: 'Set BLOB_STORE, restart, and turn downloadRecordings on.',
  },
  OTHER_DIRECTORY: {
    taken: true,
    message:
      'The meetings were made in another directory than the one that is connected here: they are taken over as left behind.',
    remedy: 'Connect the app of that directory; see decision 20.',
  },
  OTHER_PROVIDER: { taken: false, message: 'This is no Teams meeting.', remedy: null },
  UNKNOWN_STATUS: { taken: false, message: 'The status is not known.', remedy: 'Report it as a bug of this import.' },
  NO_APPOINTMENT: {
    taken: false,
    message: 'The meeting belongs to no appointment and no interaction.',
    remedy: 'Where appointments are known by the other id, run the import with the other --appointment-id.',
  },
  NO_ORGANIZER: { taken: false, message: 'It is not known in whose calendar the meeting is.', remedy: null },
  ENDS_BEFORE_START: { taken: false, message: 'The meeting ends before it starts.', remedy: null },
  NOTHING_MADE: {
    taken: false,
    message: 'Microsoft never made this meeting: there is neither an event nor a join link.',
    remedy: 'Where it is still wanted, create it with createTeamsMeeting.',
  },
  DUPLICATE: {
    taken: false,
    message: 'Another meeting of the same appointment or event is the live one.',
    remedy: 'Where its event is still in the organizer’s calendar, cancel it in Outlook: nobody else will.',
  },
  APPOINTMENT_TAKEN: {
    taken: false,
    message: 'The appointment or interaction has a meeting here already.',
    remedy: 'Where its event is still in the organizer’s calendar, cancel it in Outlook: nobody else will.',
  },
  EVENT_TAKEN: { taken: false, message: 'A meeting here has the same calendar event already.', remedy: null },
  CHANGED_HERE: {
    taken: false,
    message: 'It was changed in the source and here since the last import: it stays as it is here.',
    remedy: 'Nobody should change meetings in alga-psa any more once they are changed here.',
  },
  NOT_CALENDAR_BACKED: {
    taken: true,
    message:
      'It has no calendar event: it can be joined and cancelled, but not moved, and apps get no recordings of it.',
    remedy: 'Cancel it here and create a new one where it has to be moved.',
  },
  ORGANIZER_UNRESOLVED: {
    taken: true,
    message: 'The organizer’s object id is not known: recordings are not looked for.',
    remedy: 'Save this organizer in the settings once the app is connected: its meetings then get the id.',
  },
  NO_JOIN_LINK: {
    taken: true,
    message: 'The source has no join link. If the meeting is still to come, the link is read from its event.',
    remedy: null,
  },
  CANCELLATION_PENDING: {
    taken: true,
    message: 'It was being cancelled: this is finished here as soon as the app is connected.',
    remedy: null,
  },
  CANCELLED_TOO_LATE: {
    taken: true,
    message: 'It was being cancelled when it took place: it counts as cancelled, and its event stays as it is.',
    remedy: null,
  },
  HAD_FAILED: {
    taken: true,
    message: 'Its last change had failed. If it is still to come, the change is tried again once the app is connected.',
    remedy: null,
  },
  INTERACTION_LEFT: {
    taken: true,
    message: 'It belongs to an appointment and to an interaction; here it belongs to the appointment alone.',
    remedy: null,
  },
  SUBJECT_MADE_UP: { taken: true, message: 'It had no subject; it has a general one now.', remedy: null },
  STORED_THERE: {
    taken: true,
    message:
      'The source’s own copy of the recording is not taken over; what plays is Microsoft’s, as long as it is there.',
    remedy: 'Copy the files yourself where Microsoft’s have expired.',
  },
  UNKNOWN_ARTIFACT: { taken: false, message: 'This is neither a recording nor a transcript.', remedy: null },
  ARTIFACT_OF_NOTHING: {
    taken: false,
    message: 'Recordings or transcripts name meetings that are not there.',
    remedy: null,
  },
} as const satisfies Record<string, { taken: boolean; message: string; remedy: string | null }>;

export type FindingCode = keyof typeof FINDINGS;

/** Something that the report tells. Ids only: never a join link or a secret. */
export interface Finding {
  tenantId: string;
  what: 'settings' | 'meeting' | 'artifact';
  /** The source's id; null for the tenant's settings. */
  sourceId: string | null;
  code: FindingCode;
  /** Whether the thing itself was taken over, though something has to be told of it. */
  isTaken: boolean;
  message: string;
  remedy: string | null;
  /** What is needed to find the matter at Microsoft or in the source. */
  detail?: Record<string, string | number>;
}

export function finding(
  tenantId: string,
  what: Finding['what'],
  sourceId: string | null,
  code: FindingCode,
  detail?: Finding['detail'],
): Finding {
  const { taken, message, remedy } = FINDINGS[code];
  return {
    tenantId,
    what,
    sourceId,
    code,
    isTaken: taken,
    message,
    remedy,
    ...(detail === undefined ? {} : { detail }),
  };
}
