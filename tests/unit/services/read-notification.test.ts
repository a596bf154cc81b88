import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { artifactOf, readLifecycle, readNotification } from '../../../src/services/notifications/read-notification.ts';

const OID = 'aaaaaaaa-0000-4000-8000-00000000000a';

describe('a resource', () => {
  it.each([
    ["communications/onlineMeetings('MSo+/=')/recordings('R+/=')", null, 'MSo+/=', 'R+/='],
    [`users('${OID}')/onlineMeetings('MSo=')/recordings('R')`, OID, 'MSo=', 'R'],
    [`Users('${OID.toUpperCase()}')/OnlineMeetings('MSo=')/Recordings('R')`, OID, 'MSo=', 'R'],
    [`/users/${OID}/onlineMeetings/MSo%3D/recordings/R%2F1`, OID, 'MSo=', 'R/1'],
    [`https://graph.microsoft.com/v1.0/users/${OID}/onlineMeetings/M/recordings/R`, OID, 'M', 'R'],
    ["communications/onlineMeetings('M''s')/recordings('R')", null, "M's", 'R'],
    ['communications/onlineMeetings(M)/recordings(R)', null, 'M', 'R'],
  ])('%s is read', (resource, organizerObjectId, onlineMeetingId, artifactId) => {
    expect(artifactOf(resource)).toEqual({ kind: 'RECORDINGS', organizerObjectId, onlineMeetingId, artifactId });
  });

  it.each([
    '',
    '/',
    'communications',
    "communications/onlineMeetings('M')",
    "communications/onlineMeetings('M')/recordings",
    "communications/onlineMeetings('')/recordings('R')",
    "communications/onlineMeetings('M')/recordings('')",
    "communications/onlineMeetings('M')/attendanceReports('R')",
    "communications/onlineMeetings('M')/recordings('R')/content",
    "users('')/onlineMeetings('M')/recordings('R')",
    "me/onlineMeetings('M')/recordings('R')",
    "communications/onlineMeetings('M/recordings('R')",
    'communications/onlineMeetings/%E0%A4%A/recordings/R',
    "communications/onlineMeetings('M%00')/recordings('R')",
    "communications/onlineMeetings('M N')/recordings('R')",
    `communications/onlineMeetings('${'M'.repeat(401)}')/recordings('R')`,
  ])('%j is none', (resource) => {
    expect(artifactOf(resource)).toBeNull();
  });

  it('never throws, and comes back as it was written', () => {
    fc.assert(fc.property(fc.string(), (text) => artifactOf(text) === null || typeof artifactOf(text) === 'object'));
    const base64 = fc.base64String({ minLength: 4, maxLength: 200 });
    fc.assert(
      fc.property(base64, base64, (meeting, artifact) => {
        const read = artifactOf(`communications/onlineMeetings('${meeting}')/transcripts('${artifact}')`);
        expect(read).toMatchObject({ kind: 'TRANSCRIPTS', onlineMeetingId: meeting, artifactId: artifact });
      }),
    );
  });

  it('takes no time that grows out of bounds', () => {
    const began = performance.now();
    for (const text of ["('".repeat(2_000), "''".repeat(2_000), 'a/'.repeat(2_000), `a('${"''".repeat(1_900)}`])
      artifactOf(text);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

describe('an item', () => {
  const ITEM = {
    subscriptionId: 's',
    clientState: 'c',
    tenantId: 'ABC',
    resource: "communications/onlineMeetings('M')/recordings('R')",
  };

  it('is read from its resource, else from its resourceData', () => {
    const read = { subscriptionId: 's', clientState: 'c', directoryId: 'abc', onlineMeetingId: 'M', artifactId: 'R' };
    expect(readNotification(ITEM)).toMatchObject(read);
    const { resource, ...rest } = ITEM;
    expect(readNotification({ ...rest, resourceData: { '@odata.id': resource } })).toMatchObject(read);
    expect(readNotification({ ...ITEM, resourceData: { id: 5 }, encryptedContent: {} })).toMatchObject(read);
  });

  it.each([
    null,
    undefined,
    5,
    'x',
    [],
    {},
    { ...ITEM, subscriptionId: 5 },
    { ...ITEM, tenantId: null },
    { ...ITEM, resource: 'x' },
  ])('of %j is malformed', (value) => {
    expect(readNotification(value)).toBeNull();
  });

  it('of a lifecycle event has one that is known', () => {
    expect(readLifecycle({ ...ITEM, lifecycleEvent: 'missed' })).toMatchObject({ event: 'missed', directoryId: 'abc' });
    expect(readLifecycle({ ...ITEM, lifecycleEvent: 'other' })).toBeNull();
    expect(readLifecycle(ITEM)).toBeNull();
  });
});
