import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase, type TenantDatabase } from '../../../src/db/database.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { meetingRow, storeMeeting } from './rows.ts';

let database: TestDatabase;
let db: Database;
let a: TenantDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  db = await openDatabase({ connectionString: database.applicationUrl, poolSize: 2 });
  a = db.forTenant('tenant-a');
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

describe.each([
  ['appointment', (id: string) => ({ appointmentId: id, interactionId: null })],
  ['interaction', (id: string) => ({ appointmentId: null, interactionId: id })],
] as const)('an %s', (name, subject) => {
  it.each(['PROVISIONING', 'SCHEDULED', 'FAILED'] as const)('with a %s meeting gets no second one', async (status) => {
    const id = `${name}-${status}`;
    await storeMeeting(a, { ...subject(id), status });
    await expect(storeMeeting(a, subject(id))).rejects.toThrow(/Unique constraint/);
  });

  it('whose meeting was cancelled may have a new one, and any number of cancelled ones', async () => {
    const id = `${name}-cancelled`;
    await storeMeeting(a, { ...subject(id), status: 'CANCELLING' });
    await storeMeeting(a, { ...subject(id), status: 'CANCELLED' });
    await storeMeeting(a, { ...subject(id), status: 'CANCELLED' });
    await storeMeeting(a, subject(id));
    await expect(storeMeeting(a, subject(id))).rejects.toThrow(/Unique constraint/);
  });

  it('of another tenant with the same id has a meeting of its own', async () => {
    const id = `${name}-shared`;
    await storeMeeting(a, subject(id));
    await storeMeeting(db.forTenant('tenant-b'), subject(id));
    expect(await a.run((prisma) => prisma.onlineMeeting.count({ where: subject(id) }))).toBe(1);
  });

  it('gets one meeting from twenty attempts at once', async () => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 20 }, () => storeMeeting(a, subject(`${name}-raced`))),
    );
    expect(attempts.filter((attempt) => attempt.status === 'fulfilled')).toHaveLength(1);
  });
});

describe('a meeting is refused', () => {
  it.each([
    [
      'for both an appointment and an interaction',
      { appointmentId: 'one', interactionId: 'two' },
      'online_meetings_one_subject',
    ],
    ['for neither', { appointmentId: null, interactionId: null }, 'online_meetings_one_subject'],
    ['that ends before it starts', { endsAt: new Date('2020-01-01T00:00:00Z') }, 'online_meetings_ends_after_start'],
    ['that ends when it starts', { endsAt: meetingRow().startsAt }, 'online_meetings_ends_after_start'],
  ])('%s', async (_, over, constraint) => {
    await expect(storeMeeting(a, over)).rejects.toThrow(constraint);
  });

  it('under an idempotency key that the tenant has used, and taken under one that another tenant has used', async () => {
    await storeMeeting(a, { idempotencyKey: 'key-1' });
    await expect(storeMeeting(a, { idempotencyKey: 'key-1' })).rejects.toThrow(/Unique constraint/);
    await expect(storeMeeting(db.forTenant('tenant-b'), { idempotencyKey: 'key-1' })).resolves.toBeTypeOf('string');
  });
});

describe('what belongs to a meeting', () => {
  const recording = (meetingId: string) => ({
    id: meetingRow().id,
    meetingId,
    graphRecordingId: 'recording',
    createdAt: new Date(),
  });

  it('cannot hang on a meeting of another tenant', async () => {
    const foreign = await storeMeeting(db.forTenant('tenant-b'));
    const work = a.run((prisma) => prisma.meetingRecording.createMany({ data: [recording(foreign)] }));
    await expect(work).rejects.toThrow(/Foreign key constraint/);
  });

  it('is stored once, whatever was stored before', async () => {
    const own = await storeMeeting(a);
    await a.run((prisma) => prisma.meetingRecording.createMany({ data: [recording(own)] }));
    const again = await a.run((prisma) =>
      prisma.meetingRecording.createMany({ data: [recording(own)], skipDuplicates: true }),
    );
    expect(again.count).toBe(0);
    await expect(a.run((prisma) => prisma.meetingRecording.createMany({ data: [recording(own)] }))).rejects.toThrow(
      /Unique constraint/,
    );
  });

  it('goes with it', async () => {
    const own = await storeMeeting(a);
    await a.run((prisma) => prisma.meetingRecording.createMany({ data: [recording(own)] }));
    await a.run((prisma) => prisma.onlineMeeting.deleteMany({ where: { id: own } }));
    expect(await a.run((prisma) => prisma.meetingRecording.count({ where: { meetingId: own } }))).toBe(0);
  });
});
