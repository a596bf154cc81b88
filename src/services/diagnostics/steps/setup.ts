import type { ServiceTools } from '../../scope.ts';
import { duration, type Finding, fail, instant, pass, skip, warn } from '../finding.ts';
import type { Look, Subject } from '../look.ts';

const AT_ONCE_MS = 1_000;
const DAY_MS = 24 * 3_600_000;
/** An admin needs some days to get a new credential. */
const WARN_BEFORE_MS = 30 * DAY_MS;

const CONNECT = 'Connect the Microsoft app with connectMicrosoftApp.';

function integration({ settings }: Subject): Finding {
  switch (settings?.installStatus) {
    case undefined:
      return warn('Teams was never set up for this tenant.', CONNECT);
    case 'ACTIVE':
      return pass('The integration is active.');
    case 'ERROR':
      return fail('The integration has stopped by an error.', 'Run verifyTeamsOrganizer and follow its remedy.');
    default:
      return warn(
        'The integration is not active: no meetings are made.',
        'Set installStatus to ACTIVE with updateTeamsSettings once everything else is green.',
      );
  }
}

function app({ settings, app: connected }: Subject): Finding {
  if (connected !== null)
    return pass(
      `The app ${connected.clientId} of the directory ${connected.directoryId} (${connected.cloud}) is connected.`,
    );
  return settings === null ? skip('Teams was never set up.') : fail('No Microsoft app is connected.', CONNECT);
}

function credentialExpiry({ app: connected }: Subject, now: Date): Finding {
  if (connected === null) return skip('No Microsoft app is connected.');
  const { credentialKind, credentialExpiresAt: expiresAt } = connected;
  const name = credentialKind === 'CERTIFICATE' ? 'certificate' : 'client secret';
  if (expiresAt === null)
    return skip(`When the ${name} expires is known to Entra alone: look under “Certificates & secrets”.`);
  const left = expiresAt.getTime() - now.getTime();
  const renew = `Make a new ${name} in Entra and connect it with connectMicrosoftApp.`;
  if (left <= 0) return fail(`The ${name} expired on ${instant(expiresAt)}.`, renew);
  const detail = `The ${name} expires on ${instant(expiresAt)}, in ${duration(left)}.`;
  return left <= WARN_BEFORE_MS ? warn(detail, renew) : pass(detail);
}

function organizer({ settings, app: connected }: Subject): Finding {
  if (settings === null || connected === null) return skip('Not looked at, because no Microsoft app is connected.');
  const { organizerUpn, organizerObjectId, organizerResolvedAt } = settings;
  if (organizerUpn === null)
    return fail('No meeting organizer is saved.', 'Save organizerUserPrincipalName with updateTeamsSettings.');
  if (organizerObjectId === null)
    return fail(
      `The organizer ${organizerUpn} has not been found in the directory of the app that is connected now.`,
      'Save the organizer again with updateTeamsSettings.',
    );
  const since = organizerResolvedAt === null ? '' : ` since ${instant(organizerResolvedAt)}`;
  return pass(`The organizer is ${organizerUpn}, known by object id${since}.`);
}

/** What the settings alone tell. */
export function setupLooks(tools: ServiceTools): Look[] {
  const stored = (name: string, title: string, judge: (subject: Subject) => Finding): Look => ({
    name,
    title,
    limitMs: AT_ONCE_MS,
    look: async (subject) => judge(subject),
  });
  return [
    stored('integration', 'Integration', integration),
    stored('app-connected', 'Microsoft app', app),
    stored('credential-expiry', 'Expiry of the credential', (subject) => credentialExpiry(subject, tools.clock())),
    stored('organizer', 'Meeting organizer', organizer),
  ];
}
