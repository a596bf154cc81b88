import type { GraphService } from '../graph/types.ts';
import { type ArtifactReads, createArtifactReads } from './artifacts/artifact-reads.ts';
import { makeOpenRecording, type OpenRecording } from './artifacts/open-recording.ts';
import { makeRefreshArtifacts, type RefreshArtifacts } from './artifacts/refresh-artifacts.ts';
import { createArtifactVisibility } from './artifacts/visibility.ts';
import type { MailTransport } from './invitations/mail-transport.ts';
import { makeSendInvitation, type SendInvitation } from './invitations/send-invitation.ts';
import { createLinkSigner, type LinkSigner } from './links/signed-links.ts';
import { type CreateMeeting, makeCreateMeeting } from './meetings/create-meeting.ts';
import { createMeetingReads, type MeetingReads } from './meetings/meeting-reads.ts';
import { KeyRing, type RingKey } from './microsoft-app/key-ring.ts';
import { createMicrosoftAppService, type MicrosoftAppService } from './microsoft-app/microsoft-app.ts';
import type { ServiceTools } from './scope.ts';
import { type CapabilityService, createCapabilityService } from './settings/capability.ts';
import { createSettingsService, type SettingsService } from './settings/settings.ts';
import { createSetupGuideService, type SetupGuideService } from './setup-guide/setup-guide.ts';
import { makeOpenTranscript, type OpenTranscript } from './transcripts/open-transcript.ts';
import { makeSearchTranscripts, type SearchTranscripts } from './transcripts/search.ts';
import { makeVerifyOrganizer, type VerifyOrganizer } from './verification/verify-organizer.ts';

/** The domain, wired. Each service takes the scope of whoever asks. */
export interface Services {
  clock: () => Date;
  microsoftApp: MicrosoftAppService;
  settings: SettingsService;
  capability: CapabilityService;
  verifyOrganizer: VerifyOrganizer;
  meetings: MeetingReads;
  createMeeting: CreateMeeting;
  artifacts: ArtifactReads;
  refreshArtifacts: RefreshArtifacts;
  openRecording: OpenRecording;
  openTranscript: OpenTranscript;
  searchTranscripts: SearchTranscripts;
  setupGuide: SetupGuideService;
  links: LinkSigner;
  sendInvitation: SendInvitation;
}

export interface ServiceOptions {
  graph: GraphService;
  encryptionKeys: RingKey[];
  linkSigningKeys: RingKey[];
  publicUrl: string;
  /** Without one, no invitation mails are sent. */
  mail?: MailTransport;
  tools: ServiceTools;
}

export function createServices({
  graph,
  encryptionKeys,
  linkSigningKeys,
  publicUrl,
  mail,
  tools,
}: ServiceOptions): Services {
  const microsoftApp = createMicrosoftAppService(graph, new KeyRing(encryptionKeys), tools);
  const settings = createSettingsService(microsoftApp, tools);
  const capability = createCapabilityService(settings, microsoftApp);
  const visibility = createArtifactVisibility(settings);
  const meetings = createMeetingReads(visibility, tools);
  const artifacts = createArtifactReads(visibility);
  return {
    clock: tools.clock,
    microsoftApp,
    settings,
    capability,
    verifyOrganizer: makeVerifyOrganizer({ microsoftApp, settings }, tools),
    meetings,
    createMeeting: makeCreateMeeting({ microsoftApp, settings, capability }, tools),
    artifacts,
    refreshArtifacts: makeRefreshArtifacts({ reads: meetings, microsoftApp }, tools),
    openRecording: makeOpenRecording({ visibility, microsoftApp }, tools),
    openTranscript: makeOpenTranscript(artifacts),
    searchTranscripts: makeSearchTranscripts(visibility, tools),
    setupGuide: createSetupGuideService(microsoftApp, settings),
    links: createLinkSigner(linkSigningKeys, publicUrl, tools.clock),
    sendInvitation: makeSendInvitation({ mail }, tools),
  };
}
