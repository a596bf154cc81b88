import type { Json } from './errors.ts';
import type { UserCall } from './graph-call.ts';
import { contextUrl, option } from './graph-call.ts';
import { select } from './odata.ts';
import type { Answer } from './serve.ts';

const DEFAULT_PROPERTIES = [
  'businessPhones',
  'displayName',
  'givenName',
  'jobTitle',
  'mail',
  'mobilePhone',
  'officeLocation',
  'preferredLanguage',
  'surname',
  'userPrincipalName',
  'id',
];

/** `GET /users/{id|userPrincipalName}`: the default properties, or those of `$select`. */
export function getUser(call: UserCall): Answer {
  const view = userView(call);
  const chosen =
    option(call, '$select') === undefined
      ? Object.fromEntries(DEFAULT_PROPERTIES.map((name) => [name, view[name]]))
      : select(call, view, 'user');
  return { status: 200, body: { '@odata.context': contextUrl(call, 'users/$entity'), ...chosen } };
}

function userView({ user }: UserCall): Json {
  const plan = (service: string, servicePlanId: string) => ({
    assignedDateTime: '2026-01-01T00:00:00Z',
    capabilityStatus: 'Enabled',
    service,
    servicePlanId,
  });
  return {
    businessPhones: [],
    displayName: user.displayName,
    givenName: null,
    jobTitle: null,
    mail: user.mail,
    mobilePhone: null,
    officeLocation: null,
    preferredLanguage: null,
    surname: null,
    userPrincipalName: user.userPrincipalName,
    id: user.id,
    accountEnabled: user.accountEnabled,
    userType: 'Member',
    usageLocation: 'DE',
    assignedLicenses: [],
    assignedPlans: [
      ...(user.hasMailbox ? [plan('exchange', '9aaf7827-d63c-4b61-89c3-182f06f82e5c')] : []),
      ...(user.teamsEnabled ? [plan('TeamspaceAPI', '57ff2da0-773e-42df-b2af-ffb7a2317929')] : []),
    ],
  };
}
