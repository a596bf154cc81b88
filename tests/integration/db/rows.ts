import { v7 as uuidv7 } from 'uuid';
import { type Database, openDatabase, type TenantDatabase } from '../../../src/db/database.ts';
import type { Prisma } from '../../../src/generated/prisma/client.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

const AT = new Date('2026-01-05T09:00:00Z');

/** The least that a meeting needs, for an appointment of its own. */
export function meetingRow(over: Partial<Prisma.OnlineMeetingCreateInput> = {}): Prisma.OnlineMeetingCreateInput {
  const id = uuidv7();
  return {
    id,
    appointmentId: `appointment-${id}`,
    status: 'SCHEDULED',
    subject: 'Review',
    startsAt: AT,
    endsAt: new Date(AT.getTime() + 3_600_000),
    timeZone: 'UTC',
    organizerUpn: 'organizer@msp.example',
    transactionId: id,
    inputHash: 'hash',
    createdBy: 'user',
    createdAt: AT,
    updatedAt: AT,
    ...over,
  };
}

/** Stores a meeting whose subject names its tenant, and returns its id. */
export async function storeMeeting(
  tenant: TenantDatabase,
  over: Partial<Prisma.OnlineMeetingCreateInput> = {},
): Promise<string> {
  const { id } = await tenant.run((prisma) =>
    prisma.onlineMeeting.create({ data: meetingRow({ subject: `of ${tenant.tenantId}`, ...over }) }),
  );
  return id;
}

/** What a tenant sees of all meetings when nothing in the statement asks for a tenant. */
export function subjectsSeenBy(tenant: TenantDatabase): Promise<string[]> {
  return tenant.run(async (prisma) => {
    const rows = await prisma.$queryRaw<{ subject: string }[]>`SELECT subject FROM online_meetings ORDER BY subject`;
    return rows.map((row) => row.subject);
  });
}

/** Which server process answers: the same number means the same connection. */
export function backendOf(tenant: TenantDatabase): Promise<number> {
  return tenant.run(async (prisma) => {
    const [row] = await prisma.$queryRaw<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
    return row?.pid ?? 0;
  });
}

export interface TwoTenants {
  database: TestDatabase;
  db: Database;
  a: TenantDatabase;
  b: TenantDatabase;
  close(): Promise<void>;
}

/** A database with one meeting of tenant A and one of tenant B. */
export async function openTwoTenants(poolSize: number): Promise<TwoTenants> {
  const database = await createTestDatabase();
  const db = await openDatabase({ connectionString: database.applicationUrl, poolSize });
  const [a, b] = [db.forTenant('tenant-a'), db.forTenant('tenant-b')];
  await storeMeeting(a);
  await storeMeeting(b);
  return {
    database,
    db,
    a,
    b,
    async close() {
      await db.close();
      await database.drop();
    },
  };
}
