import type { BlobStore } from '../blobs/blob-store.ts';
import type { DatabaseFacts } from '../db/facts.ts';
import type { GraphService } from '../graph/types.ts';
import { type ArtifactReads, createArtifactReads } from './artifacts/artifact-reads.ts';
import { makeCaptureAttendance } from './artifacts/attendance.ts';
import { type Capture, makeCapture } from './artifacts/capture.ts';
import { createCaptureStore } from './artifacts/capture-store.ts';
import { makeLook } from './artifacts/look.ts';
import { createOrganizerChanges } from './artifacts/organizer-changes.ts';
import { makeRefreshArtifacts, type RefreshArtifacts } from './artifacts/refresh-artifacts.ts';
import { createArtifactStore } from './artifacts/store-artifacts.ts';
import { createArtifactVisibility } from './artifacts/visibility.ts';
import { createDiagnosticsService } from './diagnostics/diagnostics.ts';
import { makeLooks } from './diagnostics/looks.ts';
import type { DiagnosticsService } from './diagnostics/report.ts';
import { makeInvitationListener } from './invitations/invitation-listener.ts';
import type { MailTransport } from './invitations/mail-transport.ts';
import { makeSendInvitation, type SendInvitation } from './invitations/send-invitation.ts';
import { createLinkSigner, type LinkSigner } from './links/signed-links.ts';
import { type ApplyMeetingDefaults, makeApplyMeetingDefaults } from './meeting-defaults/apply-defaults.ts';
import { makeDefaultsListener } from './meeting-defaults/defaults-listener.ts';
import { makeChangeOperations } from './meetings/change-meeting.ts';
import { makeCreateMeeting } from './meetings/create-meeting.ts';
import { makeReadBoard, type ReadBoard } from './meetings/meeting-board.ts';
import type { MeetingListener } from './meetings/meeting-listener.ts';
import { createMeetingReads, type MeetingReads } from './meetings/meeting-reads.ts';
import { makeAcceptOnly, makeOperate } from './meetings/operate.ts';
import type { MeetingOperations } from './meetings/operations.ts';
import { makeRetryBlockedMeetings, type RetryBlockedMeetings } from './meetings/retry-blocked.ts';
import { ANSWER_WITHIN_MS } from './meetings/sync/limits.ts';
import { createOutcomeStore } from './meetings/sync/outcome.ts';
import { makeSyncMeeting, makeSyncMeetingJob } from './meetings/sync/sync-meeting.ts';
import { KeyRing, type RingKey } from './microsoft-app/key-ring.ts';
import { createMicrosoftAppService, type MicrosoftAppService } from './microsoft-app/microsoft-app.ts';
import { createNotificationService, type NotificationService } from './notifications/notifications.ts';
import { type ApplyPsaEvent, makeApplyPsaEvent } from './psa-events/apply-psa-event.ts';
import { type DeliverEvents, makeDeliverEvents } from './psa-events/deliver-events.ts';
import { makeOutboxListener } from './psa-events/outbox.ts';
import { type EventReceiver, makePostEvent } from './psa-events/post-event.ts';
import { makeReceivePsaEvent, type ReceivePsaEvent } from './psa-events/receive-psa-event.ts';
import { makeRemoveOrphans } from './reconciliation/orphans.ts';
import { makeReconcileCalendar } from './reconciliation/reconcile-calendar.ts';
import { makeSweepTenant, type SweepTenant } from './reconciliation/sweep-tenant.ts';
import { makeTakeOver } from './reconciliation/take-over.ts';
import { makeFindRecording } from './recordings/find-recording.ts';
import { makeOpenRecording, type OpenRecording } from './recordings/open-recording.ts';
import { createRecordingFacts } from './recordings/recording-rows.ts';
import { type CopyLimits, createRecordingStorer, type RecordingStorer } from './recordings/store-recording.ts';
import { type ApplyRetention, makeApplyRetention } from './retention/apply-retention.ts';
import type { Scope, ServiceTools } from './scope.ts';
import { type CapabilityService, createCapabilityService } from './settings/capability.ts';
import { createSettingsService, type SettingsService } from './settings/settings.ts';
import { createSetupGuideService, type SetupGuideService } from './setup-guide/setup-guide.ts';
import { type IndexTranscripts, makeIndexTranscripts } from './transcripts/index-transcripts.ts';
import { makeOpenTranscript, type OpenTranscript } from './transcripts/open-transcript.ts';
import { makeSearchTranscripts, type SearchTranscripts } from './transcripts/search.ts';
import { createTranscriptReads, type TranscriptReads } from './transcripts/transcript-reads.ts';
import { makeRemoveVerificationEvent, type RemoveVerificationEvent } from './verification/probe-event.ts';
import { makeVerifyOrganizer, type VerifyOrganizer } from './verification/verify-organizer.ts';

/** The domain, wired. Each service takes the scope of whoever asks. */
export interface Services {
  clock: () => Date;
  microsoftApp: MicrosoftAppService;
  settings: SettingsService;
  capability: CapabilityService;
  verifyOrganizer: VerifyOrganizer;
  removeVerificationEvent: RemoveVerificationEvent;
  meetings: MeetingReads;
  readBoard: ReadBoard;
  operations: MeetingOperations;
  /** The jobs of meetings. */
  syncMeeting: (scope: Scope, meetingId: string) => Promise<void>;
  retryBlockedMeetings: RetryBlockedMeetings;
  sweepTenant: SweepTenant;
  applyMeetingDefaults: ApplyMeetingDefaults;
  artifacts: ArtifactReads;
  refreshArtifacts: RefreshArtifacts;
  capture: Capture;
  openRecording: OpenRecording;
  storeRecording: RecordingStorer['store'];
  applyRetention: ApplyRetention;
  openTranscript: OpenTranscript;
  transcripts: TranscriptReads;
  searchTranscripts: SearchTranscripts;
  indexTranscripts: IndexTranscripts;
  setupGuide: SetupGuideService;
  links: LinkSigner;
  diagnostics: DiagnosticsService;
  sendInvitation: SendInvitation;
  receivePsaEvent: ReceivePsaEvent;
  applyPsaEvent: ApplyPsaEvent;
  deliverEvents: DeliverEvents;
  notifications: NotificationService;
  /** Long jobs end at their next resting place, for the process to stop soon. */
  stopLongJobs(): void;
  /** Resolves when nothing is under way any more that was begun for a caller. */
  idle(): Promise<void>;
}

export interface ServiceOptions {
  graph: GraphService;
  encryptionKeys: RingKey[];
  linkSigningKeys: RingKey[];
  publicUrl: string;
  /** Without one, no invitation mails are sent. */
  mail?: MailTransport | undefined;
  /** Where events for the PSA go; without it none are sent. */
  psaEvents?: EventReceiver | undefined;
  /** Where copies of recordings are kept; without it none are made. */
  blobs?: BlobStore | undefined;
  /** What is known of the database itself; rejects when it does not answer. */
  inspectDatabase: () => Promise<DatabaseFacts>;
  /** How much of a recording is copied at a time. */
  copyLimits?: Partial<CopyLimits>;
  /** How long links of recordings work, in minutes; default 15. */
  recordingLinkMinutes?: number;
  /** How long the caller of an operation waits for Microsoft; default eight seconds. */
  answerWithinMs?: number;
  tools: ServiceTools;
}

export function createServices(options: ServiceOptions): Services {
  const { graph, encryptionKeys, linkSigningKeys, publicUrl, psaEvents, mail, blobs, tools } = options;
  const keys = new KeyRing(encryptionKeys);
  const microsoftApp = createMicrosoftAppService(graph, keys, tools);
  const settings = createSettingsService(microsoftApp, tools, { canStoreRecordings: blobs !== undefined });
  const capability = createCapabilityService(settings, microsoftApp);
  const visibility = createArtifactVisibility(settings);
  const meetings = createMeetingReads(visibility, tools);
  const facts = createRecordingFacts(tools);
  const storer = createRecordingStorer({ microsoftApp, blobs, facts, limits: options.copyLimits }, tools);
  const artifacts = createArtifactReads(visibility, tools);
  const listeners: MeetingListener[] = [
    makeOutboxListener(tools, psaEvents !== undefined),
    makeInvitationListener(tools, mail !== undefined),
    makeDefaultsListener(tools),
  ];
  const captures = createCaptureStore(tools);
  const look = makeLook(
    { store: createArtifactStore(psaEvents !== undefined, tools), attendance: makeCaptureAttendance(tools) },
    tools,
  );
  const notifications = createNotificationService({ microsoftApp, settings, keys: linkSigningKeys, publicUrl }, tools);
  const outcomes = createOutcomeStore(listeners, tools);
  const sync = makeSyncMeeting({ microsoftApp, settings, capability, outcomes }, tools);
  const reconcileCalendar = makeReconcileCalendar(
    { takeOver: makeTakeOver(listeners, tools), removeOrphans: makeRemoveOrphans(tools) },
    tools,
  );
  const operate = makeOperate({ sync, reads: meetings }, tools, options.answerWithinMs ?? ANSWER_WITHIN_MS);
  const { subscriptionsOf } = notifications;
  const { inspectDatabase } = options;
  const looks = makeLooks({ keys, settings, subscriptionsOf, publicUrl, blobs, inspectDatabase }, tools);
  const diagnostics = createDiagnosticsService({ looks, microsoftApp, settings }, tools);
  const operations: MeetingOperations = {
    create: makeCreateMeeting({ settings, capability, operate }, tools),
    ...makeChangeOperations({ operate, listeners }, tools),
  };
  return {
    clock: tools.clock,
    microsoftApp,
    settings,
    capability,
    verifyOrganizer: makeVerifyOrganizer(
      { microsoftApp, settings, subscriptionsOf: notifications.subscriptionsOf, publicUrl },
      tools,
    ),
    removeVerificationEvent: makeRemoveVerificationEvent(microsoftApp, tools),
    meetings,
    readBoard: makeReadBoard(visibility),
    operations,
    syncMeeting: makeSyncMeetingJob(sync),
    sweepTenant: makeSweepTenant({ microsoftApp, reconcileCalendar }, tools),
    applyMeetingDefaults: makeApplyMeetingDefaults({ microsoftApp, settings }, tools),
    retryBlockedMeetings: makeRetryBlockedMeetings(tools),
    artifacts,
    refreshArtifacts: makeRefreshArtifacts({ reads: meetings, microsoftApp, look, captures }, tools),
    capture: makeCapture({ microsoftApp, settings, look, captures, changes: createOrganizerChanges(tools) }, tools),
    openRecording: makeOpenRecording(
      { find: makeFindRecording({ visibility, microsoftApp, blobs }, tools), facts },
      tools,
    ),
    storeRecording: storer.store,
    applyRetention: makeApplyRetention({ blobs }, tools),
    openTranscript: makeOpenTranscript(visibility),
    transcripts: createTranscriptReads(visibility),
    searchTranscripts: makeSearchTranscripts(visibility, tools),
    indexTranscripts: makeIndexTranscripts(tools),
    setupGuide: createSetupGuideService(microsoftApp, settings, diagnostics),
    links: createLinkSigner(linkSigningKeys, publicUrl, tools.clock, {
      recordingMinutes: options.recordingLinkMinutes,
    }),
    diagnostics,
    sendInvitation: makeSendInvitation({ mail }, tools),
    receivePsaEvent: makeReceivePsaEvent(tools),
    notifications,
    deliverEvents: makeDeliverEvents({ post: psaEvents && makePostEvent(psaEvents) }, tools),
    // Its job waits for nobody: a bulk change in the PSA must not take every worker while Microsoft is slow.
    applyPsaEvent: makeApplyPsaEvent(
      { operations: makeChangeOperations({ operate: makeAcceptOnly(meetings, tools), listeners }, tools) },
      tools,
    ),
    stopLongJobs: () => storer.stop(),
    idle: () => operate.idle(),
  };
}
