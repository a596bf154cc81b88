import type { Scope, ServiceTools } from '../scope.ts';
import type { CapabilityService } from '../settings/capability.ts';
import type { SettingsService } from '../settings/settings.ts';
import { type CreateMeetingInput, checkMeetingInput } from './meeting-input.ts';
import { acceptIntent } from './meeting-store.ts';
import { answer, mustWait, type Operate, refused } from './operate.ts';
import type { MeetingOperations } from './operations.ts';

/** Makes the mutation `createTeamsMeeting`. However often it is called with one wish, there is one meeting. */
export function makeCreateMeeting(
  deps: { settings: SettingsService; capability: CapabilityService; operate: Operate },
  tools: ServiceTools,
): MeetingOperations['create'] {
  return async (scope: Scope, input: CreateMeetingInput) => {
    const { intent, errors } = checkMeetingInput(input);
    if (errors.length > 0) return refused(null, ...errors);
    const [organizer, settings] = await Promise.all([deps.capability.organizer(scope), deps.settings.find(scope)]);
    if ('code' in organizer) return refused(null, organizer);

    const circumstances = { organizer, sendsInvites: settings?.sendMeetingInvites ?? true };
    const accepted = await acceptIntent(scope, tools, circumstances, intent);
    if (accepted.kind === 'conflict') {
      return refused(null, {
        code: 'CONFLICT',
        message: 'This idempotency key was used for another meeting.',
        path: ['input', 'idempotencyKey'],
        remedy: 'Use a new key for a new meeting.',
      });
    }
    if (accepted.kind === 'left-behind') return refused(accepted.meeting, accepted.error);
    const now = tools.clock();
    if (accepted.kind === 'existing' && mustWait(accepted.meeting, now)) return answer(accepted.meeting, now);
    return deps.operate(scope, accepted.meeting.id);
  };
}
