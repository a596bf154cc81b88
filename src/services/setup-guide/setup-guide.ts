import { cloudHosts } from '../../graph/clouds.ts';
import type { MicrosoftCloudName } from '../../graph/types.ts';
import type { DiagnosticsService } from '../diagnostics/report.ts';
import type { ConnectedMicrosoftApp, MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import { EXCHANGE_PERMISSION, KNOWN_PERMISSIONS, REQUIRED_PERMISSIONS } from '../microsoft-app/permissions.ts';
import type { Scope } from '../scope.ts';
import type { SettingsService } from '../settings/settings.ts';
import type { CheckStatus } from '../verification/checklist.ts';
import {
  accessPolicyScript,
  organizerGroup,
  roleAssignmentScript,
  type ScriptValues,
  teamsPolicyScript,
  transcriptSwitchesScript,
} from './scripts.ts';
import { type Findings, permissionStatus, statusOf } from './step-status.ts';

export interface SetupStep {
  number: number;
  title: string;
  /** Plain text; addresses stand in it as they are. */
  instructions: string;
  script: string | null;
  status: CheckStatus;
}

export interface SetupGuideService {
  /**
   * The steps of the set-up with this tenant's values. Each status is what is stored: the settings, and the last
   * diagnosis or verification, whichever is newer. Microsoft is not asked.
   */
  get(scope: Scope): Promise<SetupStep[]>;
}

/** The checks of verification and diagnosis that see what a step of the guide brings about. */
const CHECKS = {
  credential: ['directory', 'app', 'secret'],
  mailbox: ['exchange-scope'],
  policy: ['policy'],
  transcripts: ['transcript-access', 'transcript-attribution'],
};

const done = (condition: boolean): CheckStatus => (condition ? 'PASS' : 'SKIP');

/** Microsoft Learn: "Grant tenant-wide admin consent to an application". */
function consentLink(app: ConnectedMicrosoftApp): string {
  const { clientId, directoryId, cloud } = app;
  const path = `${encodeURIComponent(directoryId)}/adminconsent?client_id=${encodeURIComponent(clientId)}`;
  return `https://${cloudHosts(cloud).login}/${path}`;
}

function consentInstructions(app: ConnectedMicrosoftApp | null): string {
  const names = REQUIRED_PERMISSIONS.map(({ name }) => name).join(', ');
  const optional = KNOWN_PERMISSIONS.filter(({ isRequired }) => !isRequired)
    .map(({ name, usedFor }) => `${name} (optional, for ${usedFor})`)
    .join(', ');
  const link =
    app === null
      ? 'grant admin consent on the same page'
      : `let an administrator of the directory grant consent at ${consentLink(app)} (after “Accept” an error about a missing reply address does no harm)`;
  return `Under “API permissions” of the app, add as Microsoft Graph application permissions: ${names}, ${optional}; then ${link}. Leave ${EXCHANGE_PERMISSION} out if you limit it in Exchange with RBAC for Applications, which grants it there.`;
}

/** Microsoft Learn: onlinemeeting-get, onlinemeeting-list-recordings, onlinemeeting-list-transcripts. */
function notOffered(cloud: MicrosoftCloudName): string {
  if (cloud !== 'CHINA') return '';
  return ' By Microsoft’s documentation Graph offers neither online meetings nor recordings nor transcripts in this cloud: meetings can be made, and this step brings nothing.';
}

export function createSetupGuideService(
  microsoftApp: Pick<MicrosoftAppService, 'find'>,
  settings: Pick<SettingsService, 'find' | 'latestVerification'>,
  diagnostics: Pick<DiagnosticsService, 'latest'>,
): SetupGuideService {
  return {
    async get(scope) {
      const [app, current, verification, diagnosis] = await Promise.all([
        microsoftApp.find(scope),
        settings.find(scope),
        settings.latestVerification(scope),
        diagnostics.latest(scope),
      ]);
      const findings: Findings = { verification, diagnosis };
      const cloud = app?.cloud ?? 'GLOBAL';
      const portal = `https://${cloudHosts(cloud).entraPortal}`;
      const values: ScriptValues = {
        cloud,
        clientId: app?.clientId ?? null,
        servicePrincipalId: app?.servicePrincipalId ?? null,
        organizer: current?.organizerUpn ?? null,
      };
      const credential = statusOf(findings, CHECKS.credential);
      const mailbox = statusOf(findings, CHECKS.mailbox);
      const steps: Omit<SetupStep, 'number'>[] = [
        {
          title: 'Connect the Microsoft app registration',
          instructions: `At ${portal}, register an app for this directory alone, make a client secret (copy its value, not its id) or upload a certificate, and run connectMicrosoftApp.`,
          script: null,
          status: app === null || credential === 'SKIP' ? done(app !== null) : credential,
        },
        {
          title: 'Grant the Microsoft Graph application permissions',
          instructions: consentInstructions(app),
          script: null,
          status: permissionStatus(findings),
        },
        {
          title: 'Limit the calendar permission to the organizer',
          instructions:
            'In Exchange Online, let the app into the organizer’s mailbox and no other, with RBAC for Applications. It takes effect within an hour or two. The object id is the one of the enterprise application, not of the app registration.',
          script: roleAssignmentScript(values),
          status: mailbox,
        },
        {
          title: 'Or limit it the older way, by an application access policy (legacy)',
          instructions: `Only instead of the step before, where RBAC for Applications cannot be used: Microsoft has replaced these policies. It makes the mail-enabled security group ${organizerGroup(values)} and needs ${EXCHANGE_PERMISSION} consented to in Entra. Whoever is added to the group is opened to the app.`,
          script: accessPolicyScript(values),
          status: mailbox,
        },
        {
          title: 'Let the app act for the organizer in Teams',
          instructions: `Create and grant a Teams application access policy, then wait up to 30 minutes. A user has one such policy: if the organizer has another already, add the app to that one with Set-CsApplicationAccessPolicy.${notOffered(cloud)}`,
          script: teamsPolicyScript(values),
          status: statusOf(findings, CHECKS.policy),
        },
        {
          title: 'Let apps read transcripts',
          instructions: `Both switches are off by default since July 2026. With the second one off, transcripts come without the names of who spoke.${notOffered(cloud)}`,
          script: transcriptSwitchesScript(values),
          status: statusOf(findings, CHECKS.transcripts),
        },
        {
          title: 'Save the organizer and activate',
          instructions: 'Run updateTeamsSettings with organizerUserPrincipalName, then with installStatus ACTIVE.',
          script: null,
          status: done(current?.installStatus === 'ACTIVE'),
        },
        {
          title: 'Verify',
          instructions: 'Run verifyTeamsOrganizer: it makes and removes a short meeting.',
          script: null,
          status: verification === null ? 'SKIP' : verification.outcome === 'VERIFIED' ? 'PASS' : 'FAIL',
        },
        {
          title: 'Diagnose',
          instructions: 'Run runTeamsDiagnostics: it looks at everything and changes nothing at Microsoft.',
          script: null,
          status: diagnosis?.overall ?? 'SKIP',
        },
      ];
      return steps.map((step, index) => ({ ...step, number: index + 1 }));
    },
  };
}
