import type { UserError } from '../failures.ts';
import type { Meeting } from './meeting.ts';

/** Why nothing can be done with a meeting at Microsoft since another directory or cloud was connected; null if it can. */
export function leftBehind({ leftIn }: Pick<Meeting, 'leftIn'>): UserError | null {
  if (leftIn === null) return null;
  return {
    code: 'NOT_CONFIGURED',
    message: 'Microsoft holds this meeting in a directory or cloud that is no longer connected.',
    remedy:
      'Cancel it here with cancelTeamsMeeting (the former directory’s event has to be cancelled in Outlook), then create a new one; or connect an app of the former directory again.',
  };
}
