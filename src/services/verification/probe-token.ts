import { GraphRequestError } from '../../graph/errors.ts';
import type { GraphClient, MicrosoftCloudName } from '../../graph/types.ts';
import { EXCHANGE_PERMISSION, KNOWN_PERMISSIONS } from '../microsoft-app/permissions.ts';
import type { Asked, Checklist, Failure, Warning } from './checklist.ts';
import { describeFailure, RolesMissingError } from './describe-failure.ts';

const TOKEN_CHECKS = ['directory', 'app', 'secret'] as const;
type TokenCheck = (typeof TOKEN_CHECKS)[number];

const DAY_MS = 24 * 3_600_000;
/** How long before its end a credential is warned of. */
const WARN_BEFORE_MS = 30 * DAY_MS;
const MOST_NAMES = 20;

type Refusal = Pick<Failure, 'detail' | 'remedy'>;

/**
 * What single numbers of Entra say more exactly than their kind does. Microsoft Learn: "Microsoft Entra authentication
 * and authorization error codes".
 */
const BY_AADSTS = new Map<string, { check: TokenCheck } & Refusal>([
  [
    'AADSTS7000112',
    {
      check: 'app',
      detail: 'The app is disabled in this directory.',
      remedy:
        'In Entra, open the enterprise application of this app registration, and under “Properties” set “Enabled for users to sign-in?” to Yes.',
    },
  ],
  [
    'AADSTS7000215',
    {
      check: 'secret',
      detail: 'Microsoft rejected the client secret: it is none of the secrets of the app registration.',
      remedy:
        'In Entra, under “Certificates & secrets”, create a new client secret, copy its value (not its id), and connect the app here again with it.',
    },
  ],
  [
    'AADSTS7000222',
    {
      check: 'secret',
      detail: 'Microsoft rejected the client secret: it has expired.',
      remedy:
        'In Entra, under “Certificates & secrets”, create a new client secret, copy its value (not its id), and connect the app here again with it.',
    },
  ],
  [
    'AADSTS700027',
    {
      check: 'secret',
      detail: 'Microsoft rejected the certificate: it is not registered with the app, or no longer valid.',
      remedy:
        'In Entra, under “Certificates & secrets”, upload the certificate whose thumbprint the settings show, or connect the app here again with another certificate and its key.',
    },
  ],
]);

/** Which of the three the refusal of a token speaks of, and how it says so. */
function refusalOf(error: GraphRequestError): { check: TokenCheck; words?: Refusal } {
  const exact = BY_AADSTS.get(error.innermostCode ?? '');
  if (exact !== undefined) return { check: exact.check, words: exact };
  if (error.kind === 'APP_NOT_FOUND') return { check: 'app' };
  return { check: error.kind === 'CREDENTIALS_REJECTED' ? 'secret' : 'directory' };
}

/** When the credential ends, as far as anybody can know: Microsoft tells the app nothing of its own secrets. */
function lifeOf(credential: Credential | undefined, now: Date): string | Warning {
  if (credential === undefined) return 'Microsoft took the credential.';
  const { kind, expiresAt } = credential;
  if (expiresAt === null) {
    return kind === 'CLIENT_SECRET'
      ? 'Microsoft took the client secret. It does not tell when the secret expires: Entra shows it under “Certificates & secrets”.'
      : 'Microsoft took the certificate.';
  }
  const until = expiresAt.toISOString().slice(0, 10);
  const leftMs = expiresAt.getTime() - now.getTime();
  if (leftMs > WARN_BEFORE_MS) return `Microsoft took the credential. It is valid until ${until}.`;
  const days = Math.max(0, Math.floor(leftMs / DAY_MS));
  return {
    detail:
      leftMs <= 0
        ? `The credential expired on ${until}; Microsoft still takes it, and will stop.`
        : `The credential expires on ${until}, in ${days} ${days === 1 ? 'day' : 'days'}.`,
    remedy:
      'In Entra, add a new certificate or client secret to the app registration and connect the app here again with it, before the old one ends.',
  };
}

/** What is known of the credential itself. */
export interface Credential {
  kind: 'CLIENT_SECRET' | 'CERTIFICATE';
  /** Null: not known. */
  expiresAt: Date | null;
}

/**
 * The checks `directory`, `app` and `secret`, from one request for a token: Entra looks at them in this order, so that
 * its refusal of one says that those before it are good.
 *
 * @returns the roles in the token; null when there is none
 */
export async function probeToken(
  graph: GraphClient,
  list: Checklist,
  { credential, now }: { credential: Credential | undefined; now: Date },
): Promise<ReadonlySet<string> | null> {
  let error: unknown;
  const asked = await list.ask((options) =>
    graph.grantedRoles(options).catch((cause: unknown) => {
      error = cause;
      throw cause;
    }),
  );
  const good = {
    directory: 'Microsoft knows the directory.',
    app: 'The directory knows the app, and it is enabled there.',
    secret: lifeOf(credential, now),
  };
  if (asked.failure === undefined) {
    for (const name of TOKEN_CHECKS) list.found(name, good[name], asked);
    return asked.value;
  }
  const { check, words } = error instanceof GraphRequestError ? refusalOf(error) : { check: 'directory' as const };
  const place = TOKEN_CHECKS.indexOf(check);
  for (const name of TOKEN_CHECKS.slice(0, place)) list.found(name, good[name], asked);
  list.failed(check, { ...asked.failure, ...withoutCheck(words) }, asked);
  list.skip(TOKEN_CHECKS.slice(place + 1), `Not run, because the check ${check} failed.`);
  return null;
}

const withoutCheck = (words: Refusal | undefined) =>
  words === undefined ? {} : { detail: words.detail, remedy: words.remedy };

function namesOf(roles: readonly string[]): string {
  const shown = roles.slice(0, MOST_NAMES).join(', ');
  return roles.length > MOST_NAMES ? `${shown} and ${roles.length - MOST_NAMES} more` : shown;
}

/**
 * Whether Graph has online meetings, and what hangs on them, in the cloud. Microsoft Learn leaves China out on the pages
 * of onlineMeeting, its recordings and transcripts, and the subscriptions to them.
 */
export const offersOnlineMeetings = (cloud: MicrosoftCloudName): boolean => cloud !== 'CHINA';

/**
 * The check `roles`: what the token carries beside what is needed. Lacking the calendar permission alone is a warning,
 * because Exchange may grant it (RBAC for Applications); so is carrying more than is used. What the cloud does not offer
 * needs no permission there.
 *
 * @returns the permissions of which the check says that they are missing; a probe that lacks one of them has nothing
 *   new to tell
 */
export function checkRoles(
  granted: ReadonlySet<string>,
  list: Checklist,
  cloud: MicrosoftCloudName,
): ReadonlySet<string> {
  const asked: Omit<Asked<never>, 'value' | 'failure'> = { durationMs: 0, graphRequestId: null };
  const asksFor = ({ name }: { name: string }) => offersOnlineMeetings(cloud) || !name.startsWith('OnlineMeeting');
  const wanted = KNOWN_PERMISSIONS.filter(asksFor);
  const lacking = (isRequired: boolean) =>
    wanted.filter((one) => one.isRequired === isRequired && !granted.has(one.name));
  const known = new Set(KNOWN_PERMISSIONS.map(({ name }) => name));
  const unused = [...granted].filter((role) => !known.has(role)).sort();
  const optional = lacking(false)
    .map(({ name, usedFor }) => ` ${name} (for ${usedFor}) is not granted; nothing else needs it.`)
    .join('');
  const tooMany =
    unused.length === 0 ? '' : ` It also carries permissions that this product does not use: ${namesOf(unused)}.`;
  const missing = lacking(true).map(({ name }) => name);

  if (missing.some((role) => role !== EXCHANGE_PERMISSION)) {
    list.failed('roles', describeFailure(new RolesMissingError(missing, tooMany)), asked);
    return new Set(missing);
  }
  const removal = 'Remove the permissions that are not used from the app registration, or give this product its own.';
  if (missing.length > 0) {
    list.found(
      'roles',
      {
        detail: `${EXCHANGE_PERMISSION} is not in the token. That is as it should be where Exchange grants it by RBAC for Applications; the checks exchange-scope and meeting tell whether it does.${optional}${tooMany}`,
        remedy: `Where those checks fail, grant ${EXCHANGE_PERMISSION} in Exchange for the organizer, or add it in Entra and grant admin consent.${unused.length === 0 ? '' : ` ${removal}`}`,
      },
      asked,
    );
  } else if (unused.length > 0) {
    list.found(
      'roles',
      { detail: `The token carries every permission that is needed.${optional}${tooMany}`, remedy: removal },
      asked,
    );
  } else {
    list.found(
      'roles',
      `The token carries every permission that is needed (${wanted.filter(({ isRequired }) => isRequired).length}).${optional}`,
      asked,
    );
  }
  return new Set();
}
