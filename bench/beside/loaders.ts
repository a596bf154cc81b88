import DataLoader from 'dataloader';
import type pg from 'pg';
import type { PrismaClient } from '../../src/generated/prisma/client.ts';
import { ATTENDEES, MEETINGS, RECORDINGS, TRANSCRIPTS } from './sql.ts';

type Row = Record<string, unknown>;

export interface PeerLoaders {
  meeting: DataLoader<string, Row | null>;
  attendees: DataLoader<string, Row[]>;
  recordings: DataLoader<string, Row[]>;
  transcripts: DataLoader<string, Row[]>;
}

type Fetch = (ids: readonly string[]) => Promise<Row[]>;

function grouped(fetch: Fetch): DataLoader<string, Row[]> {
  return new DataLoader(async (ids) => {
    const groups = new Map<unknown, Row[]>();
    for (const row of await fetch(ids)) {
      const group = groups.get(row.meetingId);
      if (group === undefined) groups.set(row.meetingId, [row]);
      else group.push(row);
    }
    return ids.map((id) => groups.get(id) ?? []);
  });
}

function single(fetch: Fetch): DataLoader<string, Row | null> {
  return new DataLoader(async (ids) => {
    const found = new Map((await fetch(ids)).map((row) => [row.appointmentId, row]));
    return ids.map((id) => found.get(id) ?? null);
  });
}

/** Prepared statements over a pool. */
export function pgLoaders(pool: pg.Pool, tenantId: string): PeerLoaders {
  const fetch =
    (name: string, text: string): Fetch =>
    async (ids) =>
      (await pool.query<Row>({ name, text, values: [tenantId, ids] })).rows;
  return {
    meeting: single(fetch('meetings', MEETINGS)),
    attendees: grouped(fetch('attendees', ATTENDEES)),
    recordings: grouped(fetch('recordings', RECORDINGS)),
    transcripts: grouped(fetch('transcripts', TRANSCRIPTS)),
  };
}

export function prismaLoaders(prisma: PrismaClient, tenantId: string): PeerLoaders {
  const inMeetings = (ids: readonly string[]) => ({ tenantId, meetingId: { in: [...ids] } });
  const orderBy = [{ createdAt: 'asc' as const }, { id: 'asc' as const }];
  return {
    meeting: single((ids) =>
      prisma.onlineMeeting.findMany({
        where: { tenantId, appointmentId: { in: [...ids] }, status: { notIn: ['CANCELLED', 'CANCELLING'] } },
      }),
    ),
    attendees: grouped((ids) =>
      prisma.meetingAttendee.findMany({
        where: { ...inMeetings(ids), isRemoved: false },
        orderBy: { position: 'asc' },
      }),
    ),
    recordings: grouped((ids) => prisma.meetingRecording.findMany({ where: inMeetings(ids), orderBy })),
    transcripts: grouped((ids) =>
      prisma.meetingTranscript.findMany({ where: inMeetings(ids), omit: { vtt: true }, orderBy }),
    ),
  };
}
