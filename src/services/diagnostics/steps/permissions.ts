import { EXCHANGE_PERMISSION, KNOWN_PERMISSIONS } from '../../microsoft-app/permissions.ts';
import { offersOnlineMeetings } from '../../verification/probe-token.ts';
import { type Finding, fail, pass, skip, warn } from '../finding.ts';
import { type Look, type Subject, withoutMicrosoft } from '../look.ts';

const KNOWN = new Set(KNOWN_PERMISSIONS.map(({ name }) => name));
const listed = (permissions: readonly { name: string; usedFor: string }[]) =>
  permissions.map(({ name, usedFor }) => `${name} (${usedFor})`).join(', ');

async function look(subject: Subject): Promise<Finding> {
  if (subject.graph === null) return withoutMicrosoft(subject);
  const granted = await subject.grantedRoles().catch((error: unknown) => {
    // With an organizer there are probes, and the first of them tells why there is no token: once is enough.
    if (subject.settings?.organizerUpn) return null;
    throw error;
  });
  if (granted === null) return skip('Not known, because Microsoft gave no token; another step says why.');
  const isOffered = subject.app === null || offersOnlineMeetings(subject.app.cloud);
  const missing = KNOWN_PERMISSIONS.filter(
    ({ name }) => !granted.has(name) && (isOffered || !name.startsWith('OnlineMeeting')),
  );
  const needed = missing.filter(({ isRequired, name }) => isRequired && name !== EXCHANGE_PERMISSION);
  const superfluous = [...granted].filter((name) => !KNOWN.has(name)).sort();
  const tooMany = `carries more than is used: ${superfluous.join(', ')}.`;
  const takeAway = `take ${superfluous.join(', ')} from the app registration, unless another product uses the same one.`;
  if (needed.length > 0) {
    const isMore = superfluous.length > 0;
    return fail(
      `The token lacks: ${listed(needed)}.${isMore ? ` It ${tooMany}` : ''}`,
      `In Entra, add ${needed.map(({ name }) => name).join(', ')} as Microsoft Graph application permissions and grant admin consent. A new token can take up to an hour to carry them.${isMore ? ` Also in Entra, ${takeAway}` : ''}`,
    );
  }
  if (superfluous.length > 0) return warn(`The token ${tooMany}`, `In Entra, ${takeAway}`);
  const detail = 'The token carries every permission that is needed, and none besides.';
  if (missing.length === 0) return pass(detail);
  const notes = missing.map(({ name, usedFor }) =>
    name === EXCHANGE_PERMISSION
      ? `${name} is not in the token: Exchange grants it by RBAC for Applications, or the mailbox cannot be reached.`
      : `Without ${name} there are no ${usedFor}.`,
  );
  return pass(
    `${missing.some(({ isRequired }) => isRequired) ? 'The token carries what Entra has to grant.' : detail} ${notes.join(' ')}`,
  );
}

/** Which application permissions today's token carries; the report lists them one by one besides. */
export const permissionsLook: Look = {
  name: 'permissions',
  title: 'Microsoft Graph permissions',
  limitMs: 15_000,
  look,
};
