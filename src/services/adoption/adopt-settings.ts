import { isDeepStrictEqual } from 'node:util';
import type { AlgaIntegration } from '../../db/alga-source.ts';
import type { TenantPrisma } from '../../db/database.ts';
import { leftInHome } from '../microsoft-app/home.ts';
import type { ServiceTools } from '../scope.ts';
import { lockSetUp } from '../settings/lock-set-up.ts';
import { homeOf, mapSettings, settingsFingerprint } from './alga-settings.ts';
import { type Finding, finding } from './findings.ts';

export type SettingsOutcome = 'taken' | 'changed' | 'unchanged' | 'kept' | 'none';

/**
 * Stores the source's settings where none are, or where those that are were written by an earlier import; and where the
 * meetings were made, for whoever connects an app later. Settings that anybody saved here stay.
 */
export async function adoptSettings(
  prisma: TenantPrisma,
  tools: Pick<ServiceTools, 'clock'>,
  tenantId: string,
  { integration, canStoreRecordings }: { integration: AlgaIntegration; canStoreRecordings: boolean },
): Promise<{ outcome: SettingsOutcome; findings: Finding[] }> {
  await lockSetUp(prisma);
  const now = tools.clock();
  const wanted = mapSettings(integration, canStoreRecordings);
  const fingerprint = settingsFingerprint(wanted);
  const stored = await prisma.teamsIntegration.findFirst();
  const earlier = await prisma.adoption.findFirst();
  const findings: Finding[] = [];
  const tell = (code: Finding['code'], detail?: Finding['detail']) =>
    findings.push(finding(tenantId, 'settings', null, code, detail));

  const isOurs = stored === null || stored.updatedAt.getTime() === earlier?.settingsUpdatedAt?.getTime();
  const isKnown = stored !== null && earlier?.settingsFingerprint === fingerprint;
  const outcome = isKnown ? 'unchanged' : !isOurs ? 'kept' : stored === null ? 'taken' : 'changed';
  if (outcome === 'taken')
    await prisma.teamsIntegration.create({ data: { ...wanted, createdAt: now, updatedAt: now } });
  if (outcome === 'changed') await prisma.teamsIntegration.updateMany({ data: { ...wanted, updatedAt: now } });
  if (outcome === 'kept') {
    const { organizerUpn, sendMeetingInvites, downloadRecordings, showArtifactsInClientPortal } = stored ?? wanted;
    const here = { organizerUpn, sendMeetingInvites, downloadRecordings, showArtifactsInClientPortal };
    const { installStatus: _status, ...there } = wanted;
    if (!isDeepStrictEqual(here, there)) tell('SETTINGS_KEPT');
  }
  if (integration.downloadRecordings && !canStoreRecordings) tell('NO_BLOB_STORE');

  const home = homeOf(integration);
  const noted = {
    // A source that no longer tells, or may no longer be asked, does not change where the meetings were made.
    ...(home === null ? {} : { appClientId: home.clientId, appDirectoryId: home.directoryId }),
    adoptedAt: now,
    ...(outcome === 'taken' || outcome === 'changed'
      ? { settingsFingerprint: fingerprint, settingsUpdatedAt: now }
      : {}),
  };
  const { count } = await prisma.adoption.updateMany({ data: noted });
  if (count === 0) await prisma.adoption.create({ data: noted });

  const app = await prisma.microsoftApp.findFirst({ select: { clientId: true } });
  if (app === null)
    tell('CONNECT_APP', home === null ? {} : { clientId: home.clientId, directoryId: home.directoryId });
  if (home !== null && (await leftInHome(prisma, home)) !== null)
    tell('OTHER_DIRECTORY', { directoryId: home.directoryId });
  return { outcome, findings };
}
