import { EVENT_READ_ROLES } from '../../../graph/event-plan.ts';
import type { ServiceTools } from '../../scope.ts';
import type { SettingsService } from '../../settings/settings.ts';
import { setUpOf } from '../../settings/todays-set-up.ts';
import { titleOf } from '../../verification/check-titles.ts';
import type { Verification, VerificationCheck } from '../../verification/checklist.ts';
import { type ProbeFacts, probeOrganizer } from '../../verification/probe-organizer.ts';
import { newestTranscript, policyMissingSince } from '../../verification/verification-store.ts';
import { type Finding, instant, type NamedFinding, pass, skip, warn } from '../finding.ts';
import { type Look, type Subject, withoutMicrosoft } from '../look.ts';

/** Told by steps of their own: the roles by the list of permissions, the reach by what is below. */
const TOLD_ELSEWHERE = new Set(['roles', 'mailbox-outside']);

function toStep({ name, status, detail, remedy, durationMs }: VerificationCheck): NamedFinding {
  return { name: `microsoft-${name}`, title: titleOf(name), status, detail, remedy, durationMs };
}

/** Whether the app can reach more mailboxes than the organizer's, as far as one mailbox, a token and the last verification tell. */
function judgeReach(
  isIn: boolean,
  granted: ReadonlySet<string> | null,
  verification: Pick<Verification, 'checks' | 'ranAt'> | null,
): Finding {
  if (!isIn || granted === null)
    return skip('Not looked at, because the app does not get into the mailbox of the organizer.');
  const outside = verification?.checks.find(({ name, status }) => name === 'mailbox-outside' && status === 'WARN');
  if (verification !== null && outside !== undefined)
    return warn(
      `Seen by the last verification, on ${instant(verification.ranAt)}: ${outside.detail}`,
      `${outside.remedy ?? 'Limit the app to the organizer.'} Then run verifyTeamsOrganizer with that mailbox again.`,
    );
  const unscoped = EVENT_READ_ROLES.filter((role) => granted.has(role));
  return unscoped.length > 0
    ? skip(
        `Entra grants ${unscoped.join(', ')} for every mailbox. Whether Exchange narrows it to the organizer can only be seen at a second mailbox: name one to the verification that must be out of reach.`,
      )
    : pass('Exchange grants the calendar by RBAC for Applications, for the mailboxes in its scope alone.');
}

/** Above what the probe's own limits come to where each question is let go on to the next one: five times 12 s. */
const LIMIT_MS = 65_000;

/** What is stored here and makes Microsoft's answers more exact. */
async function factsOf({ scope, app, settings }: Subject): Promise<ProbeFacts> {
  const organizerObjectId = settings?.organizerObjectId ?? null;
  const [missingSince, transcript] = await Promise.all([
    policyMissingSince(scope, setUpOf(app, settings)),
    organizerObjectId === null ? null : newestTranscript(scope, organizerObjectId),
  ]);
  return { policyMissingSince: missingSince, transcript };
}

/** Asks Microsoft everything that verification asks and that changes nothing there; each check is a step. */
export function microsoftLook(
  { latestVerification }: Pick<SettingsService, 'latestVerification'>,
  tools: ServiceTools,
): Look {
  return {
    name: 'microsoft-probes',
    title: 'Questions to Microsoft',
    limitMs: LIMIT_MS,
    async look(subject) {
      const { graph, scope, settings } = subject;
      if (graph === null) return withoutMicrosoft(subject);
      const organizer = settings?.organizerObjectId ?? settings?.organizerUpn;
      if (!organizer) return skip('Not looked at, because no meeting organizer is saved.');
      const facts = await factsOf(subject);
      const { checks } = await probeOrganizer(graph, organizer, tools, { changesNothing: true, ...facts });
      const isIn = checks.some(({ name, status }) => name === 'mailbox' && status === 'PASS');
      const granted = await subject.grantedRoles().catch(() => null);
      const reach = judgeReach(isIn, granted, await latestVerification(scope));
      const steps = checks.filter(({ name }) => !TOLD_ELSEWHERE.has(name)).map(toStep);
      return [...steps, { ...reach, name: 'mailbox-reach', title: 'Reach beyond that mailbox', durationMs: 0 }];
    },
  };
}
