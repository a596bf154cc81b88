import type { ServiceTools } from '../../scope.ts';
import type { SettingsService } from '../../settings/settings.ts';
import { duration, type Finding, instant, pass, skip, warn } from '../finding.ts';
import type { Look, Subject } from '../look.ts';

/** Licences, policies and consent change unseen; after so long a proof is old. */
const OLD_MS = 90 * 24 * 3_600_000;
const VERIFY = 'Run verifyTeamsOrganizer.';

async function look(
  { scope, settings, app }: Subject,
  latest: SettingsService['latestVerification'],
  now: Date,
): Promise<Finding> {
  if (app === null || !settings?.organizerUpn)
    return skip('Not looked at, because no app is connected or no organizer is saved.');
  const verification = await latest(scope);
  if (verification === null)
    return warn('The organizer was never verified with this app: no meeting was made as a test.', VERIFY);
  const { outcome, ranAt } = verification;
  const age = now.getTime() - ranAt.getTime();
  const when = `on ${instant(ranAt)}, ${duration(age)} ago`;
  if (outcome !== 'VERIFIED')
    return warn(
      `The last verification, ${when}, came out as ${outcome}.`,
      'Run verifyTeamsOrganizer again once the other steps are green.',
    );
  return age > OLD_MS
    ? warn(`The last verification succeeded ${when}.`, VERIFY)
    : pass(`The last verification succeeded ${when}.`);
}

/** Whether a meeting was ever made and removed as a proof, and how long ago. What is so today other steps tell. */
export function verificationLook(
  settings: Pick<SettingsService, 'latestVerification'>,
  { clock }: Pick<ServiceTools, 'clock'>,
): Look {
  return {
    name: 'verification',
    title: 'Last verification',
    limitMs: 15_000,
    look: (subject) => look(subject, settings.latestVerification, clock()),
  };
}
