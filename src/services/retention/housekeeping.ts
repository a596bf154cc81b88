import type { TenantPrisma } from '../../db/database.ts';
import { deleteGivenUpJobs } from '../../db/job-queue.ts';

type Cleaning = (prisma: TenantPrisma, before: Date) => Promise<{ count: number }>;

/** Rows that have done their work and that nothing else deletes. Each is kept for 30 days after it was done with. */
export const HOUSEKEEPING: Readonly<Record<string, Cleaning>> = {
  psaEvents: (prisma, before) => prisma.psaEvent.deleteMany({ where: { appliedAt: { lt: before } } }),

  outgoingEvents: (prisma, before) => prisma.outgoingEvent.deleteMany({ where: { deliveredAt: { lt: before } } }),

  // The diagnosis tells of them for a week.
  givenUpJobs: async (prisma, before) => ({ count: await deleteGivenUpJobs(prisma, before) }),

  // Who was invited is read from the mails for as long as a change of the meeting has to be told to them.
  invitationMails: (prisma, before) =>
    prisma.invitationMail.deleteMany({
      where: {
        OR: [{ sentAt: { lt: before } }, { lastError: { not: null }, createdAt: { lt: before } }],
        meeting: { endsAt: { lt: before } },
      },
    }),
};
