import { type Finding, report } from './findings.ts';
import { type LockedPackages, lockedPackages } from './shipped.ts';

/**
 * Finds packages that npm would install without comparing them with what was locked, and those that come from
 * elsewhere than the registry that npm is set up with.
 */
export function findUnlocked(locked: LockedPackages): Finding[] {
  return Object.entries(locked).flatMap(([folder, { version, integrity, resolved }]) => {
    const found = (message: string) => [{ file: 'package-lock.json', line: 1, message: `${folder} ${message}` }];
    if (!/^sha512-[\w+/]{86}==$/.test(integrity ?? '')) return found('has no SHA-512 of its content');
    if (version === undefined) return found('has no version');
    if (resolved !== undefined) return found(`names where it comes from (${resolved}): the registry is npm's setting`);
    return [];
  });
}

if (import.meta.main) report('check-lockfile', findUnlocked(lockedPackages('.')));
