import type { TeamsIntegration } from '../../generated/prisma/client.ts';
import { appendAudit } from '../audit/audit.ts';
import { invalid, toUserError, type UserError } from '../failures.ts';
import { planRetryOfBlocked } from '../meetings/planned-jobs.ts';
import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import { planSubscriptions } from '../notifications/planned.ts';
import { planCopies } from '../recordings/planned-copies.ts';
import { planNextRetention } from '../retention/planned-retention.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { planIndexingIfNeeded } from '../transcripts/index-transcripts.ts';
import { TRANSCRIPT_LANGUAGES, transcriptLanguageOf } from '../transcripts/languages.ts';
import type { Verification } from '../verification/checklist.ts';

export type Settings = Omit<TeamsIntegration, 'tenantId' | 'createdAt'>;

export interface UpdateSettingsInput {
  installStatus?: Settings['installStatus'] | null;
  organizerUserPrincipalName?: string | null;
  sendMeetingInvites?: boolean | null;
  downloadRecordings?: boolean | null;
  showArtifactsInClientPortal?: boolean | null;
  artifactRetentionDays?: number | null;
  transcriptLanguage?: string | null;
  meetingDefaults?: {
    recordAutomatically?: boolean | null;
    lobbyBypass?: Settings['lobbyBypass'] | null;
    allowedPresenters?: Settings['allowedPresenters'] | null;
  } | null;
}

type Change = Partial<Omit<Settings, 'updatedAt'>>;

export interface SettingsService {
  /** The tenant's settings, or null when nothing was ever set. */
  find(scope: Scope): Promise<Settings | null>;
  /**
   * Changes what the input names and leaves the rest alone; an explicit null clears the organizer, the retention and
   * the language of transcripts.
   * A new organizer is looked up at once and stored with its object id. Nothing is stored when anything is wrong.
   */
  update(scope: Scope, input: UpdateSettingsInput): Promise<UserError[]>;
  latestVerification(scope: Scope): Promise<Verification | null>;
}

const DEFAULTS: Settings = {
  installStatus: 'NOT_CONFIGURED',
  organizerUpn: null,
  organizerObjectId: null,
  organizerDisplayName: null,
  organizerResolvedAt: null,
  sendMeetingInvites: true,
  downloadRecordings: false,
  showArtifactsInClientPortal: false,
  artifactRetentionDays: null,
  transcriptLanguage: null,
  recordAutomatically: false,
  lobbyBypass: 'ORGANIZATION',
  allowedPresenters: 'EVERYONE',
  updatedAt: new Date(0),
};

function noBlobStore(): UserError {
  return {
    code: 'NOT_CONFIGURED',
    message: 'This installation has no store for copies of recordings.',
    remedy: 'Whoever runs the subgraph sets BLOB_STORE to a folder or an S3 bucket and restarts it.',
    path: ['input', 'downloadRecordings'],
  };
}

/** Copies what has a value: in a partial update null means "leave alone" for switches, as leaving it out does. */
function switches(input: UpdateSettingsInput): Change {
  const { sendMeetingInvites, downloadRecordings, showArtifactsInClientPortal, meetingDefaults } = input;
  const wanted = {
    sendMeetingInvites,
    downloadRecordings,
    showArtifactsInClientPortal,
    recordAutomatically: meetingDefaults?.recordAutomatically,
    lobbyBypass: meetingDefaults?.lobbyBypass,
    allowedPresenters: meetingDefaults?.allowedPresenters,
  };
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined && value !== null));
}

function unknownLanguage(): UserError {
  return {
    ...invalid(['input', 'transcriptLanguage'], 'Transcripts cannot be searched in this language.'),
    remedy: `Use one of ${TRANSCRIPT_LANGUAGES.join(', ')}, or null to search words as they are written.`,
  };
}

/** @param options.canStoreRecordings whether there is a blob store to copy recordings into */
export function createSettingsService(
  microsoftApp: MicrosoftAppService,
  tools: ServiceTools,
  { canStoreRecordings }: { canStoreRecordings: boolean },
): SettingsService {
  /** Looks the organizer up in the directory; the object id is what Teams wants in its paths. */
  async function resolveOrganizer(scope: Scope, upn: string): Promise<Change | UserError> {
    const path = ['input', 'organizerUserPrincipalName'];
    if (!/^[^\s@]+@[^\s@]+$/.test(upn) || upn.length > 320) {
      return invalid(path, 'The organizer is not a user principal name such as scheduling@example.com.');
    }
    const graph = await microsoftApp.graphFor(scope);
    if (graph === null) {
      return {
        code: 'NOT_CONFIGURED',
        message: 'No Microsoft app is connected, so the organizer cannot be looked up.',
        remedy: 'Run connectMicrosoftApp first.',
        path,
      };
    }
    try {
      const user = await graph.users.get(upn);
      return {
        organizerUpn: user.userPrincipalName,
        organizerObjectId: user.id,
        organizerDisplayName: user.displayName,
        organizerResolvedAt: tools.clock(),
      };
    } catch (error) {
      return toUserError(error, path);
    }
  }

  /** What activation still lacks, given the settings as they would be. */
  async function missingForActivation(scope: Scope, settings: Settings): Promise<UserError[]> {
    const path = ['input', 'installStatus'];
    const app = await microsoftApp.find(scope);
    const errors: UserError[] = [];
    if (app === null) {
      errors.push({
        code: 'NOT_CONFIGURED',
        message: 'No Microsoft app is connected.',
        remedy: 'Run connectMicrosoftApp first.',
        path,
      });
    }
    if (settings.organizerObjectId === null) {
      errors.push({
        code: 'NOT_CONFIGURED',
        message: 'No organizer is saved, or it has not been found in the directory.',
        remedy: 'Save organizerUserPrincipalName first.',
        path,
      });
    }
    return errors;
  }

  const find = (scope: Scope): Promise<Settings | null> =>
    scope.db.run((prisma) => prisma.teamsIntegration.findFirst({ omit: { tenantId: true, createdAt: true } }));

  return {
    find,

    async update(scope, input) {
      const change = switches(input);
      const errors: UserError[] = [];

      if (change.downloadRecordings === true && !canStoreRecordings) errors.push(noBlobStore());
      if (input.artifactRetentionDays !== undefined) {
        const days = input.artifactRetentionDays;
        if (days !== null && (days < 0 || days > 36_500))
          errors.push(
            invalid(
              ['input', 'artifactRetentionDays'],
              'The retention must be between 0 and 36500 days; 0 or null keeps everything.',
            ),
          );
        change.artifactRetentionDays = days;
      }
      if (input.transcriptLanguage !== undefined) {
        const tag = input.transcriptLanguage?.trim() || null;
        const language = tag === null ? null : transcriptLanguageOf(tag);
        if (tag !== null && language === null) errors.push(unknownLanguage());
        change.transcriptLanguage = language;
      }
      const upn = input.organizerUserPrincipalName?.trim();
      if (input.organizerUserPrincipalName !== undefined) {
        if (upn) {
          const organizer = await resolveOrganizer(scope, upn);
          if ('code' in organizer) errors.push(organizer);
          else Object.assign(change, organizer);
        } else {
          Object.assign(change, {
            organizerUpn: null,
            organizerObjectId: null,
            organizerDisplayName: null,
            organizerResolvedAt: null,
          });
        }
      }

      const before = (await find(scope)) ?? DEFAULTS;
      if (input.installStatus) {
        if (input.installStatus === 'ACTIVE')
          errors.push(...(await missingForActivation(scope, { ...before, ...change })));
        else if (input.installStatus !== 'INSTALL_PENDING')
          errors.push(
            invalid(
              ['input', 'installStatus'],
              `${input.installStatus} is told by the product; set ACTIVE, or INSTALL_PENDING to pause.`,
            ),
          );
        change.installStatus = input.installStatus;
      } else if (change.organizerObjectId === null && before.installStatus === 'ACTIVE') {
        change.installStatus = 'INSTALL_PENDING';
      }
      if (errors.length > 0) return errors;

      const now = tools.clock();
      await scope.db.transaction(async (prisma) => {
        const { count } = await prisma.teamsIntegration.updateMany({ data: { ...change, updatedAt: now } });
        if (count === 0) await prisma.teamsIntegration.create({ data: { ...change, createdAt: now, updatedAt: now } });
        await planRetryOfBlocked(prisma);
        if (change.transcriptLanguage !== undefined) await planIndexingIfNeeded(prisma);
        await planSubscriptions(prisma);
        if (change.downloadRecordings === true) await planCopies(prisma, now);
        const { artifactRetentionDays: days = before.artifactRetentionDays } = change;
        if (days !== before.artifactRetentionDays) await planNextRetention(prisma);
        await appendAudit(prisma, tools, scope.viewer, {
          operation: 'update-settings',
          outcome: 'success',
          detail: { changed: Object.keys(change) },
        });
      });
      return [];
    },

    async latestVerification(scope) {
      const row = await scope.db.run((prisma) =>
        prisma.organizerVerification.findFirst({ orderBy: { ranAt: 'desc' } }),
      );
      // Only verify-organizer writes these columns, from the same type.
      return row as unknown as Verification | null;
    },
  };
}
