import type { TeamsIntegration } from '../../generated/prisma/client.ts';
import { appendAudit } from '../audit/audit.ts';
import { invalid, type UserError } from '../failures.ts';
import { MICROSOFT_DEFAULTS } from '../meeting-defaults/options.ts';
import { planRetryOfBlocked } from '../meetings/planned-jobs.ts';
import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import { planSubscriptions } from '../notifications/planned.ts';
import { planCopies } from '../recordings/planned-copies.ts';
import { planNextRetention } from '../retention/planned-retention.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { planIndexingIfNeeded } from '../transcripts/index-transcripts.ts';
import { TRANSCRIPT_LANGUAGES, transcriptLanguageOf } from '../transcripts/languages.ts';
import type { Verification } from '../verification/checklist.ts';
import { lockSetUp } from './lock-set-up.ts';
import { chosenDefaults, type MeetingDefaultsInput, refusedDefaults } from './meeting-defaults-input.ts';
import { type AppIdentity, appChanged, isSameApp, makeResolveOrganizer, NO_ORGANIZER } from './organizer.ts';
import { todaysSetUp } from './todays-set-up.ts';

export type Settings = Omit<TeamsIntegration, 'tenantId' | 'createdAt'>;

export interface UpdateSettingsInput {
  installStatus?: Settings['installStatus'] | null;
  organizerUserPrincipalName?: string | null;
  sendMeetingInvites?: boolean | null;
  downloadRecordings?: boolean | null;
  showArtifactsInClientPortal?: boolean | null;
  artifactRetentionDays?: number | null;
  transcriptLanguage?: string | null;
  meetingDefaults?: MeetingDefaultsInput | null;
}

type Change = Partial<Omit<Settings, 'updatedAt'>>;

export interface SettingsService {
  /** The tenant's settings, or null when nothing was ever set. */
  find(scope: Scope): Promise<Settings | null>;
  /**
   * Changes what the input names and leaves the rest alone; an explicit null clears the organizer, the retention and
   * the language of transcripts.
   * A new organizer is looked up at once and stored with its object id. Nothing is stored when anything is wrong, and
   * everything that is wrong is told at once.
   */
  update(scope: Scope, input: UpdateSettingsInput): Promise<UserError[]>;
  /** The latest verification of today's app and organizer; what was found of others is not told. */
  latestVerification(scope: Scope): Promise<Verification | null>;
}

const DEFAULTS: Settings = {
  installStatus: 'NOT_CONFIGURED',
  ...NO_ORGANIZER,
  sendMeetingInvites: true,
  downloadRecordings: false,
  showArtifactsInClientPortal: false,
  artifactRetentionDays: null,
  transcriptLanguage: null,
  ...MICROSOFT_DEFAULTS,
  meetingDefaultsChosen: [],
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

/** What activation still lacks, given the app and the settings as they would be. */
function missingForActivation(app: AppIdentity | null, settings: Settings): UserError[] {
  const path = ['input', 'installStatus'];
  const missing = (message: string, remedy: string): UserError => ({ code: 'NOT_CONFIGURED', message, remedy, path });
  const errors: UserError[] = [];
  if (app === null) errors.push(missing('No Microsoft app is connected.', 'Run connectMicrosoftApp first.'));
  if (settings.organizerUpn === null) {
    errors.push(missing('No organizer is saved.', 'Save organizerUserPrincipalName first.'));
  } else if (settings.organizerObjectId === null) {
    errors.push(
      missing(
        'The organizer has not been found in the directory that is connected.',
        'Save organizerUserPrincipalName again: it is then looked up.',
      ),
    );
  }
  return errors;
}

/** The status as it would be, and what speaks against it. */
function checkStatus(
  wanted: Settings['installStatus'] | null | undefined,
  before: Settings,
  after: Settings,
  app: AppIdentity | null,
): { installStatus?: Settings['installStatus']; errors: UserError[] } {
  if (!wanted) {
    const isStopped = after.organizerObjectId === null && before.installStatus === 'ACTIVE';
    return { ...(isStopped ? { installStatus: 'INSTALL_PENDING' } : {}), errors: [] };
  }
  if (wanted === 'ACTIVE') return { installStatus: wanted, errors: missingForActivation(app, after) };
  if (wanted === 'INSTALL_PENDING') return { installStatus: wanted, errors: [] };
  const message = `${wanted} is told by the product; set ACTIVE, or INSTALL_PENDING to pause.`;
  return { errors: [invalid(['input', 'installStatus'], message)] };
}

/** @param options.canStoreRecordings whether there is a blob store to copy recordings into */
export function createSettingsService(
  microsoftApp: MicrosoftAppService,
  tools: ServiceTools,
  { canStoreRecordings }: { canStoreRecordings: boolean },
): SettingsService {
  const resolveOrganizer = makeResolveOrganizer(microsoftApp, tools);

  /** The change that the input asks for as far as it can be told without the others, and what is wrong with it. */
  async function read(scope: Scope, input: UpdateSettingsInput) {
    const change = switches(input);
    const errors: UserError[] = [];
    let foundBy: AppIdentity | null = null;
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
    if (input.organizerUserPrincipalName !== undefined) {
      const upn = input.organizerUserPrincipalName?.trim();
      const organizer = upn ? await resolveOrganizer(scope, upn) : null;
      if (organizer === null) Object.assign(change, NO_ORGANIZER);
      else if ('code' in organizer) errors.push(organizer);
      else {
        Object.assign(change, organizer.fields);
        foundBy = organizer.foundBy;
      }
    }
    return { change, errors, foundBy };
  }

  return {
    find: (scope) =>
      scope.db.run((prisma) => prisma.teamsIntegration.findFirst({ omit: { tenantId: true, createdAt: true } })),

    async update(scope, input) {
      const { change, errors: found, foundBy } = await read(scope, input);
      return scope.db.transaction(async (prisma) => {
        await lockSetUp(prisma);
        const errors = [...found];
        const before =
          (await prisma.teamsIntegration.findFirst({ omit: { tenantId: true, createdAt: true } })) ?? DEFAULTS;
        const app = await prisma.microsoftApp.findFirst({ select: { clientId: true, directoryId: true, cloud: true } });
        if (input.meetingDefaults) errors.push(...refusedDefaults(input.meetingDefaults, app?.cloud ?? null));
        if (foundBy !== null && !isSameApp(foundBy, app)) errors.push(appChanged());
        const status = checkStatus(input.installStatus, before, { ...before, ...change }, app);
        errors.push(...status.errors);
        if (errors.length > 0) return errors;
        if (status.installStatus !== undefined) change.installStatus = status.installStatus;

        const now = tools.clock();
        const meetingDefaultsChosen = chosenDefaults(before.meetingDefaultsChosen, input.meetingDefaults ?? {});
        const data = { ...change, meetingDefaultsChosen, updatedAt: now };
        const { count } = await prisma.teamsIntegration.updateMany({ data });
        if (count === 0) await prisma.teamsIntegration.create({ data: { ...data, createdAt: now } });
        if (change.organizerUpn && change.organizerObjectId) {
          // Imported meetings may know their organizer by name alone.
          await prisma.onlineMeeting.updateMany({
            where: {
              organizerUpn: { equals: change.organizerUpn, mode: 'insensitive' },
              organizerObjectId: null,
              leftIn: null,
            },
            data: { organizerObjectId: change.organizerObjectId },
          });
        }
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
        return [];
      });
    },

    async latestVerification(scope) {
      const row = await scope.db.run(async (prisma) =>
        prisma.organizerVerification.findFirst({
          where: { setUp: await todaysSetUp(prisma) },
          orderBy: [{ ranAt: 'desc' }, { id: 'desc' }],
        }),
      );
      // Only verify-organizer writes these columns, from the same type.
      return row as unknown as Verification | null;
    },
  };
}
