import satisfies from 'spdx-satisfies';
import { type Finding, report } from './findings.ts';
import { type ShippedPackage, shippedHere } from './shipped.ts';

/** Permissive, all of them: they ask for their notices to be kept, and nothing of what is built with them. */
const ALLOWED = [
  'MIT',
  'MIT-0',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'Unlicense',
  'Python-2.0',
];

function isAllowed(licence: string): boolean {
  try {
    return satisfies(licence, ALLOWED);
  } catch {
    // Not an SPDX expression.
    return false;
  }
}

/** Finds what is shipped under a licence that is not on the list, or under none. Copyleft of any kind is not on it. */
export function findLicences(shipped: readonly ShippedPackage[]): Finding[] {
  return shipped
    .filter(({ licence }) => licence === undefined || !isAllowed(licence))
    .map(({ name, version, licence }) => ({
      file: 'package-lock.json',
      line: 1,
      message: `${name}@${version} is shipped under ${licence ?? 'no licence'}, which docs/supply-chain.md does not allow`,
    }));
}

if (import.meta.main) report('check-licences', findLicences(shippedHere()));
