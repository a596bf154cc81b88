import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createLinkSigner } from '../../../src/services/links/signed-links.ts';
import { createClientStates } from '../../../src/services/notifications/client-state.ts';

const key = (id: string) => ({ id, bytes: randomBytes(32) });
const OLD = key('old');
const NEW = key('new');

function issued(states = createClientStates([NEW]), tenantId = 'tenant-a') {
  const state = states.issue(tenantId);
  if (state === null) throw new Error('none was issued');
  return state;
}

describe('a clientState', () => {
  it('tells its tenant and is another each time', () => {
    const states = createClientStates([NEW]);
    const [one, other] = [issued(states), issued(states)];
    expect(one.text).not.toBe(other.text);
    expect(one.nonce).not.toBe(other.nonce);
    expect(states.read(one.text)).toEqual({ tenantId: 'tenant-a', nonce: one.nonce, keyId: 'new' });
  });

  it.each(['0193b1e2-7c1f-7000-8000-0123456789ab', 'ü'.repeat(20), 'x'.repeat(58)])(
    'fits for the tenant %s',
    (tenantId) => {
      const states = createClientStates([NEW]);
      const { text } = issued(states, tenantId);
      expect(text.length).toBeLessThanOrEqual(128);
      expect(states.read(text)?.tenantId).toBe(tenantId);
    },
  );

  it('is none for a tenant whose id is too long', () => {
    expect(createClientStates([NEW]).issue('x'.repeat(60))).toBeNull();
  });

  it('is read with every key of the ring, and with no other', () => {
    const before = issued(createClientStates([OLD]));
    const both = createClientStates([NEW, OLD]);
    expect(both.read(before.text)).toMatchObject({ keyId: 'old' });
    expect([both.knows('old'), both.knows('other')]).toEqual([true, false]);
    expect([both.isSigning('new'), both.isSigning('old')]).toEqual([true, false]);
    expect(createClientStates([NEW]).read(before.text)).toBeNull();
  });

  it('needs a key', () => {
    expect(() => createClientStates([])).toThrow('at least one key');
  });

  it('is not read when any character of it is changed', () => {
    const states = createClientStates([NEW]);
    const { text } = issued(states);
    for (let at = 0; at < text.length; at += 1) {
      const changed = `${text.slice(0, at)}${text[at] === 'x' ? 'y' : 'x'}${text.slice(at + 1)}`;
      expect(states.read(changed)?.tenantId ?? null).toBeNull();
    }
  });

  it.each(['', '.', '..', 'a.b', 'a.b.c', 'a.b.c.d', 'a'.repeat(200)])('is not read from %j', (text) => {
    expect(createClientStates([NEW]).read(text)).toBeNull();
  });

  it('is signed by a key that links are not signed by', () => {
    const viewer = { tenantId: 'tenant-a', id: 'u', kind: 'msp' as const, permissions: new Set<never>() };
    const link = createLinkSigner([NEW], 'https://x.example', () => new Date()).sign(viewer, 'recording', 'r');
    const token = new URL(link.url).searchParams.get('token') ?? '';
    expect(createClientStates([NEW]).read(token.slice(0, 128))).toBeNull();
    expect(createClientStates([NEW]).read(token)).toBeNull();
  });
});
