import type { KeyRotation } from '../services/microsoft-app/rotate-keys.ts';
import { printable } from './doctor-page.ts';

const EVERY = 100;

/** How far a rotation has come: one line written over itself in a terminal, a line every hundred tenants elsewhere. */
export function rotationProgress(stream: { isTTY?: boolean; write(text: string): unknown }): {
  show(this: void, done: number, tenants: number): void;
  end(this: void): void;
} {
  return {
    show(done, tenants) {
      if (stream.isTTY) stream.write(`\r${done} of ${tenants} tenants`);
      else if (done % EVERY === 0 || done === tenants) stream.write(`${done} of ${tenants} tenants\n`);
    },
    end() {
      if (stream.isTTY) stream.write('\n');
    },
  };
}

const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;
const quoted = (id: string) => `“${printable(id)}”`;

/** The report of a rotation for a person, with what to do next. `ring`: the ids of ENCRYPTION_KEYS, in their order. */
export function rotationPage(
  { rotated, current, tenants, lost, inUse }: KeyRotation,
  { ring, isDryRun }: { ring: readonly string[]; isDryRun: boolean },
): string {
  const [first = ''] = ring;
  const lines = [
    `${isDryRun ? 'Would re-encrypt' : 'Re-encrypted'} ${count(rotated, 'secret')} of ${count(tenants, 'tenant')} with the key ${quoted(first)}; ${current} ${current === 1 ? 'was' : 'were'} under it already.`,
  ];
  if (lost.length > 0) {
    const keys = [...new Set(lost.map(({ keyId }) => quoted(keyId)))].join(', ');
    lines.push(
      '',
      `Cannot be read (${lost.length}):`,
      ...lost.map(
        ({ tenantId, what, keyId }) => `  tenant ${printable(tenantId)}: ${what}, encrypted with ${quoted(keyId)}`,
      ),
      `→ Put the lost key back into ENCRYPTION_KEYS as it was (${keys}) and run this again; or let an administrator of each tenant connect the app again with connectMicrosoftApp.`,
    );
  }
  if (isDryRun) return lines.join('\n');
  const others = [...new Set([...ring.slice(1), ...inUse.map(({ keyId }) => keyId).filter((id) => id !== first)])];
  if (others.length > 0) lines.push('');
  for (const id of others) {
    const use = inUse.find(({ keyId }) => keyId === id);
    lines.push(
      use === undefined
        ? `The old key ${quoted(id)} is needed by nothing and may be removed now, if every server has ${quoted(first)} as its first key.`
        : `The key ${quoted(id)} is still needed by ${count(use.secrets, 'secret')} of ${count(use.tenants, 'tenant')}: do not remove it.`,
    );
  }
  return lines.join('\n');
}
