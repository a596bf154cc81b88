import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createLinkSigner, type LinkPurpose } from '../../../src/services/links/signed-links.ts';
import type { Viewer } from '../../../src/services/viewer.ts';

const NOW = new Date('2026-11-01T12:00:30Z');
const key = (id: string) => ({ id, bytes: randomBytes(32) });
const technician: Viewer = {
  tenantId: 'tenant-a',
  id: 'user-1',
  kind: 'msp',
  permissions: new Set(['teams_meeting:read', 'teams_meeting:write', 'teams_artifact:read']),
};
const portal: Viewer = {
  tenantId: 'tenant-a',
  id: 'user-2',
  kind: 'client',
  clientId: 'client-acme',
  contactId: 'contact-jane',
  permissions: new Set(['teams_artifact:read']),
};
const signer = (keys: { id: string; bytes: Buffer }[], now = NOW) =>
  createLinkSigner(keys, 'https://meetings.example', () => now);
const tokenOf = (url: string) => new URL(url).searchParams.get('token') ?? '';

describe('a signed link', () => {
  it.each([
    ['recording', '/recordings/r-1', 'teams_artifact:read'],
    ['transcript', '/transcripts/r-1.vtt', 'teams_artifact:read'],
    ['transcript-text', '/transcripts/r-1.txt', 'teams_artifact:read'],
    ['invitation', '/invitations/r-1.ics', 'teams_meeting:read'],
  ] as [LinkPurpose, string, string][])(
    'of a %s stands for its viewer and grants that one thing',
    (purpose, path, grant) => {
      const links = signer([key('k1')]);
      const { url } = links.sign(technician, purpose, 'r-1');
      expect(new URL(url).origin + new URL(url).pathname).toBe(`https://meetings.example${path}`);
      const verified = links.verify(tokenOf(url), purpose, 'r-1');
      expect(verified?.tenantId).toBe('tenant-a');
      expect(verified?.viewer).toMatchObject({ tenantId: 'tenant-a', id: 'user-1', kind: 'msp' });
      expect([...(verified?.viewer.permissions ?? [])]).toEqual([grant]);
    },
  );

  it('keeps a client’s viewer within the client', () => {
    const links = signer([key('k1')]);
    expect(links.verify(tokenOf(links.sign(portal, 'recording', 'r-1').url), 'recording', 'r-1')?.viewer).toMatchObject(
      { kind: 'client', clientId: 'client-acme' },
    );
  });

  it('lives between 15 and 16 minutes, is the same within a minute, and says when it ends', () => {
    const keys = [key('k1')];
    const { url, expiresAt } = signer(keys).sign(technician, 'recording', 'r-1');
    expect(expiresAt.toISOString()).toBe('2026-11-01T12:16:00.000Z');
    expect(signer(keys, new Date('2026-11-01T12:00:59Z')).sign(technician, 'recording', 'r-1').url).toBe(url);
    const verifyAt = (time: string) => signer(keys, new Date(time)).verify(tokenOf(url), 'recording', 'r-1');
    expect(verifyAt('2026-11-01T12:15:59.999Z')).not.toBeNull();
    expect(verifyAt('2026-11-01T12:16:00.000Z')).toBeNull();
  });

  it('survives the rotation of keys: the old key verifies, the new one signs, a removed one does neither', () => {
    const [old, young] = [key('old'), key('young')];
    const before = tokenOf(signer([old]).sign(technician, 'recording', 'r-1').url);
    const rotated = signer([young, old]);
    expect(rotated.verify(before, 'recording', 'r-1')).not.toBeNull();
    const after = tokenOf(rotated.sign(technician, 'recording', 'r-1').url);
    expect(after.split('.')[0]).toBe('young');
    expect(signer([young]).verify(after, 'recording', 'r-1')).not.toBeNull();
    expect(signer([young]).verify(before, 'recording', 'r-1')).toBeNull();
  });

  it('of one key passes under no other key with the same id', () => {
    expect(
      signer([key('k1')]).verify(
        tokenOf(signer([key('k1')]).sign(technician, 'recording', 'r-1').url),
        'recording',
        'r-1',
      ),
    ).toBeNull();
  });

  it('cannot move its dot: what is signed includes the key id', () => {
    const shared = randomBytes(32);
    const links = signer([
      { id: 'a', bytes: shared },
      { id: 'b', bytes: shared },
    ]);
    const [, ...rest] = tokenOf(links.sign(technician, 'recording', 'r-1').url).split('.');
    expect(links.verify(['b', ...rest].join('.'), 'recording', 'r-1')).toBeNull();
  });

  it('of a client without a client id is nobody’s', () => {
    const { id, bytes } = key('k1');
    const claims = {
      purpose: 'recording',
      tenantId: 'tenant-a',
      resourceId: 'r-1',
      viewer: { kind: 'client', id: 'u' },
      expiresAt: NOW.getTime() / 1000 + 600,
    };
    const signed = `${id}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
    const token = `${signed}.${createHmac('sha256', bytes).update(signed).digest('base64url')}`;
    expect(signer([{ id, bytes }]).verify(token, 'recording', 'r-1')).toBeNull();
  });

  it('needs a key', () => {
    expect(() => signer([])).toThrow('at least one key');
  });

  it.each([
    '',
    '.',
    '..',
    '...',
    'k1',
    'k1.',
    'k1..',
    'k1.e30',
    'k1.e30.',
    'k1.e30.AAAA',
    'k1.%%%.AAAA',
    ' k1.e30.AAAA',
  ])('is not %j', (token) => {
    expect(signer([key('k1')]).verify(token, 'recording', 'r-1')).toBeNull();
  });
});
