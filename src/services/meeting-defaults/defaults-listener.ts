import { removeJob } from '../../db/job-queue.ts';
import { Prisma } from '../../generated/prisma/client.ts';
import type { MeetingListener } from '../meetings/meeting-listener.ts';
import type { ServiceTools } from '../scope.ts';
import { optionsToApply } from './options.ts';
import { planDefaults } from './planned-defaults.ts';

/**
 * Notes with a meeting that was made which options it is to get, as the settings are at that moment, and plans the job
 * that gives them. Nothing is noted or planned where nobody chose any default, nor in China, where the
 * call is not offered (Microsoft Learn: onlinemeeting-update). A meeting that is cancelled gets none any more.
 */
export function makeDefaultsListener(tools: Pick<ServiceTools, 'clock'>): MeetingListener {
  return async (prisma, _scope, { kind, meeting }) => {
    if (kind === 'cancelled' && meeting.defaultsWanted !== null) {
      await prisma.onlineMeeting.updateMany({
        where: { id: meeting.id },
        data: { defaultsNextAt: null, defaultsFailure: Prisma.DbNull },
      });
      await removeJob(prisma, 'apply_meeting_defaults', meeting.id);
    }
    if (kind !== 'scheduled') return;
    const settings = await prisma.teamsIntegration.findFirst();
    const options = settings === null ? null : optionsToApply(settings, settings.meetingDefaultsChosen);
    if (options === null) return;
    const app = await prisma.microsoftApp.findFirst({ select: { cloud: true } });
    if (app?.cloud === 'CHINA') return;
    const now = tools.clock();
    await prisma.onlineMeeting.updateMany({
      where: { id: meeting.id },
      data: { defaultsWanted: { ...options }, defaultsSince: now, defaultsNextAt: now },
    });
    await planDefaults(prisma, meeting.id);
  };
}
