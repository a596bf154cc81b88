import type { TenantPrisma } from '../../db/database.ts';
import type { Scope } from '../scope.ts';
import type { Meeting } from './meeting.ts';

/** What became of a meeting at Microsoft. */
export interface MeetingChange {
  /** `failed`: given up, or waiting for a person; a passing failure that is tried again by itself is none. */
  kind: 'scheduled' | 'updated' | 'cancelled' | 'failed';
  /** As it is stored with the change. */
  meeting: Meeting;
}

/**
 * Told of a change inside the transaction that stores it: what a listener writes is there exactly if the change is.
 * It must not talk to anybody outside the database; what takes longer goes into a job.
 */
export type MeetingListener = (prisma: TenantPrisma, scope: Scope, change: MeetingChange) => Promise<void>;
