import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { meetingConditions } from '../../../src/services/meetings/meeting-conditions.ts';
import { type MeetingFilter, whereOf } from '../../../src/services/meetings/meeting-reads.ts';
import type { Scope } from '../../../src/services/scope.ts';
import type { Viewer } from '../../../src/services/viewer.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { storeMeeting } from '../access/rows.ts';

const TENANT = 'tenant-conditions';
const NOW = new Date('2036-12-01T12:00:00Z');
const STATUSES = ['PROVISIONING', 'SCHEDULED', 'CANCELLING', 'CANCELLED', 'FAILED'] as const;
const permissions = new Set(['teams_artifact:read'] as const);
const VIEWERS: Viewer[] = [
  { tenantId: TENANT, kind: 'msp', id: 'user-1', permissions },
  { tenantId: TENANT, kind: 'service', id: 'service', permissions },
  { tenantId: TENANT, kind: 'client', id: 'portal-1', clientId: 'client-1', contactId: 'contact-1', permissions },
  { tenantId: TENANT, kind: 'client', id: 'contact-2', clientId: 'client-2', contactId: undefined, permissions },
];
/** Each condition alone, and with every other one. */
const ONE: MeetingFilter[] = [
  {},
  { clientId: 'client-1' },
  { clientId: '' },
  { clientId: 'nul\0' },
  { status: [] },
  { status: ['SCHEDULED'] },
  { status: ['ENDED', 'FAILED'] },
  { status: null },
  { startsFrom: new Date('2036-12-01T11:00:00Z') },
  { startsBefore: new Date('2036-12-01T11:00:00Z') },
  { hasRecordings: true },
  { hasRecordings: false },
  { mine: true },
  { mine: false },
];

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await startTestSubgraph();
  let n = 0;
  for (const clientId of ['client-1', 'client-2', null])
    for (const status of STATUSES)
      for (const hour of ['09', '11', '13']) {
        n += 1;
        await storeMeeting(subgraph, TENANT, {
          appointmentId: `c-${n}`,
          clientId,
          status,
          startsAt: `2036-12-01T${hour}:00:00Z`,
          recordings: n % 2,
          createdBy: n % 7 === 0 ? 'user-1' : 'user-other',
          attendees: [
            ...(n % 3 === 0 ? [{ emailAddress: 'a@x.example', contactId: 'contact-1' }] : []),
            ...(n % 5 === 0 ? [{ emailAddress: 'b@x.example', userId: 'user-1' }] : []),
            ...(n % 4 === 0 ? [{ emailAddress: 'c@x.example', contactId: 'contact-2' }] : []),
          ],
        });
      }
  await subgraph.database.query(
    "UPDATE meeting_attendees SET is_removed = true WHERE email_address LIKE 'a@%' AND random() < 0.5",
  );
});
afterAll(() => subgraph.close());

describe('the conditions of a search say what those of a list say', () => {
  it.each(VIEWERS)('for $kind $id', async (viewer) => {
    const scope: Scope = { viewer, db: subgraph.db.forTenant(TENANT) };
    let matched = 0;
    for (const a of ONE)
      for (const b of ONE)
        for (const seesArtifacts of [true, false]) {
          const filter = { ...a, ...b };
          const conditions = meetingConditions(scope, filter, NOW, seesArtifacts);
          const [listed, searched] = await scope.db.run(async (prisma) => [
            await prisma.onlineMeeting.findMany({
              where: whereOf(scope, filter, NOW, seesArtifacts),
              select: { id: true },
              orderBy: { id: 'asc' },
            }),
            conditions === null
              ? await prisma.$queryRaw`SELECT id FROM online_meetings m ORDER BY id`
              : await prisma.$queryRaw`SELECT id FROM online_meetings m WHERE ${conditions} ORDER BY id`,
          ]);
          expect(searched, JSON.stringify({ filter, seesArtifacts })).toEqual(listed);
          matched += listed.length;
        }
    expect(matched).toBeGreaterThan(0);
  });
});
