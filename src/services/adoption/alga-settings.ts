import { createHash } from 'node:crypto';
import type { AlgaIntegration } from '../../db/alga-source.ts';
import type { TeamsIntegration } from '../../generated/prisma/client.ts';
import { GUID } from '../microsoft-app/credential.ts';
import type { Home } from '../microsoft-app/home.ts';
import { ORGANIZER_NAME } from '../settings/organizer.ts';

export type MappedSettings = Pick<
  TeamsIntegration,
  'installStatus' | 'organizerUpn' | 'sendMeetingInvites' | 'downloadRecordings' | 'showArtifactsInClientPortal'
>;

/** The settings as they are stored here. Never ACTIVE: an administrator connects the app first, and saves the organizer. */
export function mapSettings(source: AlgaIntegration, canStoreRecordings: boolean): MappedSettings {
  const upn = source.organizerUpn?.trim() ?? '';
  return {
    installStatus: source.installStatus === 'not_configured' ? 'NOT_CONFIGURED' : 'INSTALL_PENDING',
    organizerUpn: ORGANIZER_NAME.test(upn) ? upn : null,
    sendMeetingInvites: source.sendMeetingInvites,
    downloadRecordings: source.downloadRecordings && canStoreRecordings,
    showArtifactsInClientPortal: source.exposeRecordingsInPortal,
  };
}

/** Directories that stand for none in particular. */
const ANY_DIRECTORY = ['', 'common', 'organizations', 'consumers'];

/** Where Microsoft holds the source's meetings; null where it does not tell. alga-psa knows the global cloud alone. */
export function homeOf({ app }: Pick<AlgaIntegration, 'app'>): Home | null {
  const directoryId = app?.directoryId.trim().toLowerCase() ?? '';
  if (app === null || ANY_DIRECTORY.includes(directoryId)) return null;
  return {
    clientId: app.clientId.trim().toLowerCase(),
    cloud: 'GLOBAL',
    directoryId,
    directoryObjectId: GUID.test(directoryId) ? directoryId : null,
  };
}

export function settingsFingerprint(settings: MappedSettings): string {
  return createHash('sha256').update(JSON.stringify(settings)).digest('base64url');
}
