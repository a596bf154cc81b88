import type { SuggestionSource } from '../services/attendees/attendees.ts';
import type { StoredFailure } from '../services/failures.ts';
import type { Invitation } from '../services/invitations/invitation.ts';
import type { MeetingFilter, MeetingPage } from '../services/meetings/meeting-reads.ts';

/** An object that another subgraph owns: all that is known here is its id. */
export interface EntityReference {
  id: string;
}

export type AppointmentParent = EntityReference;

/** An interaction with the external fields that the gateway sends along for `@requires`. */
export type InteractionParent = EntityReference & SuggestionSource;

/** A page and the filter that it answers, so that `totalCount` is counted only when it is asked for. */
export interface MeetingConnectionParent {
  page: MeetingPage;
  filter: MeetingFilter;
  isAfterCursor: boolean;
}

/** A stored failure, and when it is tried again. */
export type FailureParent = StoredFailure & { willRetryAt?: Date | null };

export type InvitationParent = Invitation & { meetingId: string };
