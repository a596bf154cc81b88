import type { MicrosoftCloudName } from '../../graph/types.ts';
import { doubleQuoted, equalsInFilter, quoted, visible } from './power-shell.ts';

/** What the scripts are filled with; null: the reader puts it in. */
export interface ScriptValues {
  cloud: MicrosoftCloudName;
  clientId: string | null;
  /** The object id of the app's service principal, which Entra shows as enterprise application. */
  servicePrincipalId: string | null;
  /** The organizer's user principal name. */
  organizer: string | null;
}

/** Connect-ExchangeOnline -ExchangeEnvironmentName; the worldwide cloud is what it takes by itself. */
const EXCHANGE_ENVIRONMENTS: Record<MicrosoftCloudName, string | null> = {
  GLOBAL: null,
  US_GOV_L4: 'O365USGovGCCHigh',
  US_GOV_L5: 'O365USGovDoD',
  CHINA: 'O365China',
};

/** Connect-MicrosoftTeams -TeamsEnvironmentName, likewise. */
const TEAMS_ENVIRONMENTS: Record<MicrosoftCloudName, string | null> = {
  GLOBAL: null,
  US_GOV_L4: 'TeamsGCCH',
  US_GOV_L5: 'TeamsDOD',
  CHINA: 'TeamsChina',
};

const SCOPE_NAME = quoted('Teams meetings organizer');
const GROUP_ALIAS = 'teams-meeting-organizers';
const POLICY_NAME = quoted('Teams-Meetings');

function connectExchange({ cloud }: ScriptValues): string {
  const environment = EXCHANGE_ENVIRONMENTS[cloud];
  return environment === null
    ? 'Connect-ExchangeOnline'
    : `Connect-ExchangeOnline -ExchangeEnvironmentName ${environment}`;
}

function connectTeams({ cloud }: ScriptValues): string {
  const environment = TEAMS_ENVIRONMENTS[cloud];
  return environment === null
    ? 'Connect-MicrosoftTeams'
    : `Connect-MicrosoftTeams -TeamsEnvironmentName ${environment}`;
}

const clientIdOf = ({ clientId }: ScriptValues) => quoted(clientId ?? '<client id of the app registration>');
const organizerOf = ({ organizer }: ScriptValues) => organizer ?? '<user principal name of the organizer>';

/**
 * What was made for a former organizer or app is there already: that is no error worth reading, and the command behind it
 * brings it to today's values. A refusal of another kind shows there, and in the test at the end.
 */
const UNLESS_THERE = '-ErrorAction SilentlyContinue';

/** The address of the group that holds the organizer; in the organizer's own domain. */
export function organizerGroup({ organizer }: Pick<ScriptValues, 'organizer'>): string {
  const domain = visible(organizer ?? '').split('@')[1];
  return `${GROUP_ALIAS}@${domain || '<domain of the organizer>'}`;
}

/** Exchange Online: "Role Based Access Control for Applications". */
export function roleAssignmentScript(values: ScriptValues): string {
  const clientId = clientIdOf(values);
  const principal = quoted(values.servicePrincipalId ?? '<object id of the enterprise application>');
  const filter = doubleQuoted(equalsInFilter('UserPrincipalName', organizerOf(values)));
  return [
    connectExchange(values),
    `New-ServicePrincipal -AppId ${clientId} -ObjectId ${principal} -DisplayName 'Teams meetings' ${UNLESS_THERE}`,
    `New-ManagementScope -Name ${SCOPE_NAME} -RecipientRestrictionFilter ${filter} ${UNLESS_THERE}`,
    `Set-ManagementScope -Identity ${SCOPE_NAME} -RecipientRestrictionFilter ${filter}`,
    `New-ManagementRoleAssignment -App ${clientId} -Role 'Application Calendars.ReadWrite' -CustomResourceScope ${SCOPE_NAME} ${UNLESS_THERE}`,
    `Test-ServicePrincipalAuthorization -Identity ${clientId} -Resource ${quoted(organizerOf(values))}`,
  ].join('\n');
}

/** Exchange Online: New-ApplicationAccessPolicy, which RBAC for Applications has replaced. */
export function accessPolicyScript(values: ScriptValues): string {
  const clientId = clientIdOf(values);
  const organizer = quoted(organizerOf(values));
  const group = quoted(organizerGroup(values));
  return [
    connectExchange(values),
    `New-DistributionGroup -Name 'Teams meeting organizers' -PrimarySmtpAddress ${group} -Type Security -Members ${organizer} ${UNLESS_THERE}`,
    `Add-DistributionGroupMember -Identity ${group} -Member ${organizer} ${UNLESS_THERE}`,
    `New-ApplicationAccessPolicy -AppId ${clientId} -PolicyScopeGroupId ${group} -AccessRight RestrictAccess -Description 'Only organizers of Teams meetings' ${UNLESS_THERE}`,
    `Test-ApplicationAccessPolicy -Identity ${organizer} -AppId ${clientId}`,
  ].join('\n');
}

/** Microsoft Learn: "Configure application access to online meetings". */
export function teamsPolicyScript(values: ScriptValues): string {
  return [
    connectTeams(values),
    `New-CsApplicationAccessPolicy -Identity ${POLICY_NAME} -AppIds ${clientIdOf(values)} -Description 'Meetings of the PSA' ${UNLESS_THERE}`,
    `Set-CsApplicationAccessPolicy -Identity ${POLICY_NAME} -AppIds @{Add=${clientIdOf(values)}}`,
    `Grant-CsApplicationAccessPolicy -PolicyName ${POLICY_NAME} -Identity ${quoted(organizerOf(values))}`,
  ].join('\n');
}

/** Microsoft Learn: "Get callTranscript", Set-CsTeamsMeetingConfiguration. */
export function transcriptSwitchesScript(values: ScriptValues): string {
  return [
    connectTeams(values),
    'Set-CsTeamsMeetingConfiguration -Identity Global -EnableGraphTranscriptAccess $true -EnableAttributedTranscripts $true',
  ].join('\n');
}
