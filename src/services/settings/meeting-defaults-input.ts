import type { MicrosoftCloudName } from '../../graph/types.ts';
import { invalid, type UserError } from '../failures.ts';
import { type MeetingDefaults, optionsToApply } from '../meeting-defaults/options.ts';

export type MeetingDefaultsInput = { [Field in keyof MeetingDefaults]?: MeetingDefaults[Field] | null };

/** Which defaults somebody chose, once this is saved too: what was chosen once stays so, whatever its value. */
export function chosenDefaults(before: readonly string[], input: MeetingDefaultsInput): string[] {
  const named = Object.entries(input).flatMap(([name, value]) => (value === null || value === undefined ? [] : [name]));
  return [...new Set([...before, ...named])];
}

const PATH = ['input', 'meetingDefaults'];

/** What of these defaults Microsoft is known not to take. Asks nobody. */
export function refusedDefaults(input: MeetingDefaultsInput, cloud: MicrosoftCloudName | null): UserError[] {
  const errors: UserError[] = [];
  if (input.allowedPresenters === 'ROLE_IS_PRESENTER') {
    errors.push(
      invalid(
        [...PATH, 'allowedPresenters'],
        'Presenters by role cannot be a default: Microsoft takes it only with the role of each attendee, which the PSA does not have.',
        'Use EVERYONE, ORGANIZATION or ORGANIZER; roles of one meeting are given in its meeting options in Outlook.',
      ),
    );
  }
  if (cloud === 'CHINA' && optionsToApply(input, []) !== null) {
    errors.push(
      invalid(
        PATH,
        'Microsoft Graph cannot change the options of meetings in the cloud that 21Vianet operates in China.',
        'Leave the defaults as Microsoft has them, and set what the organizer’s meetings start with by a meeting policy in the Teams admin centre.',
      ),
    );
  }
  return errors;
}
