import { EXCHANGE_PERMISSION } from '../../microsoft-app/permissions.ts';
import type { ServiceTools } from '../../scope.ts';
import { titleOf } from '../../verification/check-titles.ts';
import type { VerificationCheck } from '../../verification/checklist.ts';
import { type ProbeFacts, probeOrganizer } from '../../verification/probe-organizer.ts';
import { newestTranscript, policyMissingSince } from '../../verification/verification-store.ts';
import { type NamedFinding, pass, skip } from '../finding.ts';
import { type Look, type Subject, withoutMicrosoft } from '../look.ts';

/** Told by steps of their own: the roles by the list of permissions, the reach by what is below. */
const TOLD_ELSEWHERE = new Set(['roles', 'mailbox-outside']);

function toStep({ name, status, detail, remedy, durationMs }: VerificationCheck): NamedFinding {
  return { name: `microsoft-${name}`, title: titleOf(name), status, detail, remedy, durationMs };
}

/** Whether the app can reach more mailboxes than the organizer's, as far as one mailbox and a token tell. */
async function mailboxReach(subject: Subject, checks: readonly VerificationCheck[]): Promise<NamedFinding> {
  const isIn = checks.some(({ name, status }) => name === 'mailbox' && status === 'PASS');
  const granted = await subject.grantedRoles().catch(() => null);
  const finding =
    !isIn || granted === null
      ? skip('Not looked at, because the app does not get into the mailbox of the organizer.')
      : granted.has(EXCHANGE_PERMISSION)
        ? skip(
            `Entra grants ${EXCHANGE_PERMISSION} for every mailbox. Whether Exchange narrows it to the organizer can only be seen at a second mailbox: name one to the verification that must be out of reach.`,
          )
        : pass('Exchange grants the calendar by RBAC for Applications, for the mailboxes in its scope alone.');
  return { ...finding, name: 'mailbox-reach', title: 'Reach beyond that mailbox', durationMs: 0 };
}

/** What is stored here and makes Microsoft's answers more exact. */
async function factsOf({ scope, settings }: Subject): Promise<ProbeFacts> {
  const organizerObjectId = settings?.organizerObjectId ?? null;
  const [missingSince, transcript] = await Promise.all([
    policyMissingSince(scope),
    organizerObjectId === null ? null : newestTranscript(scope, organizerObjectId),
  ]);
  return { policyMissingSince: missingSince, transcript };
}

/** Asks Microsoft everything that verification asks and that changes nothing there; each check is a step. */
export function microsoftLook(tools: ServiceTools): Look {
  return {
    name: 'microsoft-probes',
    title: 'Questions to Microsoft',
    limitMs: 25_000,
    async look(subject) {
      const { graph, settings } = subject;
      if (graph === null) return withoutMicrosoft(subject);
      const organizer = settings?.organizerObjectId ?? settings?.organizerUpn;
      if (!organizer) return skip('Not looked at, because no meeting organizer is saved.');
      const facts = await factsOf(subject);
      const { checks } = await probeOrganizer(graph, organizer, tools, { changesNothing: true, ...facts });
      const steps = checks.filter(({ name }) => !TOLD_ELSEWHERE.has(name)).map(toStep);
      return [...steps, await mailboxReach(subject, checks)];
    },
  };
}
